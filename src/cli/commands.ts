import * as notes from './command-notes.js';
import * as own from './command-options.js';
import type { Option } from './option.js';
import { serverOptions, settingOptions } from './setting-options.js';

/** The commands about what a store had. */
export type UndoCommandName = 'trash list' | 'trash restore' | 'trash purge' | 'history' | 'restore-states';

/** The commands that keep stores whole. */
export type KeepCommandName = 'copy' | 'verify' | 'repair' | 'info' | 'locks list' | 'locks remove';

export type CommandName =
  | 'serve'
  | 'check-config'
  | 'token create'
  | 'token list'
  | 'token revoke'
  | 'notify test'
  | UndoCommandName
  | KeepCommandName
  | 'completion'
  | 'plugin';

/** An argument that isn't an option. */
export interface Positional {
  readonly title: string;
  readonly required: boolean;
}

/** How a command is called. */
export interface Usage {
  /** One word or two. */
  readonly name: CommandName;
  readonly positionals: readonly Positional[];
  readonly options: readonly Option[];
  /** A phrase that says what it does. */
  readonly help: string;
  /** A sentence that says how its locations are written. */
  readonly locations?: string;
  /** Paragraphs that follow the options in the help. */
  readonly notes?: readonly string[];
}

/** A command about one store that may be left out: the default one. */
const ofStore = { positionals: [{ title: 'LOCATION', required: false }], locations: notes.locations.one };

/** The options of every command about a store. */
const storeOptions = [own.config, own.store, own.json, ...serverOptions];

const serving = { ...ofStore, options: [own.config, ...settingOptions], notes: notes.settings };

const undoNotes = [notes.moment, notes.undo];

export const commands: readonly Usage[] = [
  { ...serving, name: 'serve', help: 'serves stores until it is stopped' },
  { ...serving, name: 'check-config', help: 'checks the settings as `serve` does, and shows the result' },
  {
    name: 'token create',
    positionals: [{ title: 'NAME', required: true }],
    options: [own.expires, own.access, own.config],
    help: 'makes a token for the principal NAME, and adds its hash to the configuration file',
  },
  {
    name: 'token list',
    positionals: [],
    options: [own.config],
    help: 'lists the principals of the configuration file and their tokens',
  },
  {
    name: 'token revoke',
    positionals: [
      { title: 'NAME', required: true },
      { title: 'ID', required: false },
    ],
    options: [own.config],
    help: 'removes a token of NAME from the configuration file; ID is what `token list` shows',
  },
  {
    name: 'notify test',
    positionals: [],
    options: [own.config],
    help: 'sends a test event to each webhook and by mail, and shows the result',
  },
  {
    ...ofStore,
    name: 'history',
    options: [own.since, ...storeOptions],
    help: 'shows what arrived in a store and what was deleted, by day, and what looks like a removal of snapshots',
    notes: undoNotes,
  },
  {
    ...ofStore,
    name: 'restore-states',
    options: [own.asOf, own.apply, own.despiteLocks, ...storeOptions],
    help: 'takes a store back to a moment: restores what was deleted since, and moves states that arrived later to the trash',
    notes: undoNotes,
  },
  {
    ...ofStore,
    name: 'trash list',
    options: [own.deletedSince, ...storeOptions],
    help: "lists what is in a store's trash",
    notes: undoNotes,
  },
  {
    ...ofStore,
    name: 'trash restore',
    options: [own.mac, own.deletedSince, own.deletedUntil, own.all, own.apply, ...storeOptions],
    help: "brings back what is in a store's trash",
    notes: undoNotes,
  },
  {
    ...ofStore,
    name: 'trash purge',
    options: [own.before, own.all, own.apply, ...storeOptions],
    help: "deletes objects from a store's trash for good",
    notes: undoNotes,
  },
  {
    name: 'copy',
    positionals: [
      { title: 'SOURCE', required: true },
      { title: 'DESTINATION', required: true },
    ],
    options: [
      own.create,
      own.jobs,
      own.rate,
      own.readBack,
      own.copyAsOf,
      own.dryRun,
      own.config,
      own.json,
      ...serverOptions,
    ],
    help: 'copies objects that DESTINATION lacks; nothing there is replaced or deleted',
    locations: notes.locations.sourceAndDestination,
    notes: [notes.moment, notes.size, notes.others.ofCopy, notes.keep],
  },
  {
    ...ofStore,
    name: 'verify',
    options: [own.against, own.sample, own.rate, own.jobs, own.record, own.resume, own.acceptMissing, ...storeOptions],
    help: 'reads all objects of a store and reports damaged and missing ones; needs no passphrase',
    notes: [notes.size, notes.others.ofVerify, notes.keep],
  },
  {
    ...ofStore,
    name: 'repair',
    options: [own.from, own.mac, own.unproven, own.toFolder, own.rate, own.jobs, own.apply, ...storeOptions],
    help: 'replaces damaged objects of a store with good ones from another copy',
    locations: notes.locations.own,
    notes: [notes.size, notes.others.ofRepair, notes.keep],
  },
  {
    ...ofStore,
    name: 'info',
    options: storeOptions,
    help: "shows a store's objects, bytes, times of arrival, format, encryption, locks and leftovers",
    notes: [notes.keep],
  },
  {
    ...ofStore,
    name: 'locks list',
    options: storeOptions,
    help: "lists a store's locks, with their age",
    notes: [notes.keep],
  },
  {
    ...ofStore,
    name: 'locks remove',
    options: [own.stale, own.lockMac, own.apply, ...storeOptions],
    help: 'removes locks that clients left behind; locks in use stay',
    notes: [notes.keep],
  },
  {
    name: 'completion',
    positionals: [{ title: 'bash|zsh|fish', required: true }],
    options: [],
    help: 'prints a script with which a shell completes commands and options',
    notes: notes.completion,
  },
  { name: 'plugin', positionals: [], options: [], help: "plakar's storage plugin, which plakar starts itself" },
];

/** The command that arguments start with, and the arguments that follow its name. */
export function commandNamed(
  argv: readonly string[],
): { readonly usage: Usage; readonly args: readonly string[] } | undefined {
  const usage = commands.find(({ name }) => name.split(' ').every((word, i) => argv[i] === word));
  return usage && { usage, args: argv.slice(usage.name.split(' ').length) };
}

/** The commands of a group: those of two words that start with this one. */
export function commandsIn(group: string): readonly Usage[] {
  return commands.filter(({ name }) => name.startsWith(`${group} `));
}
