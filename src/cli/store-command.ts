import { setMaxListeners } from 'node:events';
import type { OpenedStore } from '../backends/backend.js';
import { formatLocation } from '../backends/backends.js';
import { hasCode, StoreError } from '../core/errors.js';
import { momentForm, parseMoment } from '../core/moment.js';
import type { OpContext } from '../core/store.js';
import type { Trash } from '../core/trash.js';
import type { Logger } from '../lib/logger.js';
import { commandText } from './command-text.js';
import type { StoreArgument, UndoCommand } from './command-types.js';
import { namedStore, openNamed, type StoreContext, type Use } from './named-store.js';
import { interrupted, refused, wrongUsage, type Outcome } from './outcome.js';
import { Progress } from './progress.js';

/** A store that a command has opened. */
export interface StoreSubject {
  readonly store: OpenedStore;
  /** Its location, for people. */
  readonly title: string;
  /** When the command began, in milliseconds since 1970. */
  readonly nowMs: number;
  readonly ctx: OpContext;
  readonly progress: Progress;
  readonly print: StoreContext['print'];
  /** A command about the same store, to be typed: its name, and what follows the location. */
  readonly call: (name: string, ...more: readonly string[]) => string;
}

/** The same, of a store with a trash. */
export interface Subject extends StoreSubject {
  readonly trash: Trash;
}

/** What a command does with a store, or why its arguments are wrong. */
export type Prepared = { readonly problems: readonly string[] } | ((subject: Subject) => Promise<Outcome>);

/**
 * Opens the store that a command about its trash names, runs the command, and closes the store.
 *
 * @param prepare checks the arguments, before anything is opened; moments are relative to `nowMs`
 */
export async function onTrash(
  command: UndoCommand,
  context: StoreContext,
  prepare: (command: UndoCommand, nowMs: number) => Prepared,
): Promise<Outcome> {
  const run = prepare(command, Date.now());
  if ('problems' in run) return wrongUsage(run.problems, command.name);
  const use = { writable: command.apply, trashes: command.apply };
  return withStore(command, use, context, async (subject) => {
    const { title, store } = subject;
    if (store.trash === undefined) return refused([`${title} has no trash here: use the machine that keeps the store`]);
    return run({ ...subject, trash: store.trash });
  });
}

/**
 * Opens a store, runs a command with it, and closes it. Commands that take several nest this. An error of the command becomes its outcome: what
 * writes has to be of a kind that goes on where it was interrupted.
 *
 * @param signal interrupts the command. Default: nothing does
 */
export async function withStore(
  argument: StoreArgument,
  use: Use,
  context: StoreContext,
  run: (subject: StoreSubject) => Promise<Outcome>,
  signal?: AbortSignal,
): Promise<Outcome> {
  const nowMs = Date.now();
  const named = await namedStore(argument, context);
  if ('problems' in named) return refused(named.problems);
  const progress = new Progress(context.terminal);
  const warnings: string[] = [];
  let store: OpenedStore | undefined;
  try {
    store = await openNamed(named, use, context, loggerInto(warnings));
    const title = formatLocation(named.location);
    const ctx = { signal: signal ?? new AbortController().signal };
    // Every operation may listen to it.
    setMaxListeners(0, ctx.signal);
    const print = async (text: string): Promise<void> => {
      progress.clear();
      await context.print(text);
    };
    const call = (name: string, ...more: readonly string[]): string => commandText(argument, name, more);
    const outcome = await run({ store, title, nowMs, ctx, progress, print, call });
    return { ...outcome, stderr: warnings.join('') + outcome.stderr };
  } catch (error) {
    // Where it couldn't be opened, or may not be changed, the same command does no better.
    const canGoOn = use.writable && store !== undefined && !hasCode(error, 'permission_denied');
    const goOn = canGoOn ? ['nothing is lost, and the same command goes on from here'] : [];
    if (signal?.aborted === true) return interrupted(goOn);
    return refused([errorText(error), ...goOn], 1);
  } finally {
    progress.clear();
    await store?.close();
  }
}

/** How far the clocks of what keeps stores may be ahead of this machine's. */
const clockToleranceMs = 60_000;

/** A moment of an option, in milliseconds since 1970; undefined where it isn't given or has a problem, which is added to the problems. */
export function momentOption(
  option: string,
  written: string | undefined,
  nowMs: number,
  problems: string[],
): number | undefined {
  if (written === undefined) return undefined;
  const ms = parseMoment(written, nowMs);
  if (ms === undefined) problems.push(`${option} ${JSON.stringify(written)}: must be ${momentForm}`);
  else if (ms > nowMs + clockToleranceMs) problems.push(`${option} ${written}: that is in the future`);
  return ms;
}

/** What is wrong with MACs and starts of MACs, as options have them. */
export function macProblems(macs: readonly string[]): string[] {
  return macs
    .filter((mac) => !/^[0-9a-f]{12,64}$/i.test(mac))
    .map((mac) => `--mac ${JSON.stringify(mac)}: must be 64 hex digits, or the first 12 of them or more`);
}

/** A log whose warnings go to `lines`, as a command's messages. */
export function loggerInto(lines: string[]): Logger {
  const add = (_: object, message: string): void => void lines.push(`warning: ${message}\n`);
  return { info: () => undefined, warn: add, error: add };
}

/** For the operator, whom the cause tells more. */
export function errorText(error: unknown): string {
  const { message, cause } = error instanceof Error ? error : StoreError.from(error);
  if (!(error instanceof StoreError) || !(cause instanceof Error)) return message;
  // That of gRPC repeats what the gateway said.
  return cause.message.includes(message) ? message : `${message}: ${cause.message}`;
}
