import { randomBytes } from 'node:crypto';
import { createToken as randomToken } from '../auth/tokens.js';
import { unknownName } from '../config/checks/context.js';
import { principalNameProblem } from '../config/checks/principals.js';
import { configVariable } from '../config/environment.js';
import { readConfigFile } from '../config/load.js';
import { parseMoment } from '../config/settings/principals.js';
import { suggestion } from '../config/suggestion.js';
import { readProblem } from '../lib/read-text.js';
import { changeFile } from './change-file.js';
import { columns } from './columns.js';
import { printed, refused, type Outcome } from './outcome.js';
import { parseAccess, parseExpiry } from './token-options.js';
import type { TokenCreateCommand, TokenRevokeCommand } from './command-types.js';
import {
  addToken,
  principalsIn,
  removeToken,
  storesIn,
  tokenYaml,
  type KeptPrincipal,
  type KeptToken,
} from './token-file.js';

/** The current time, in milliseconds since 1970, and a source of random bytes. */
export interface TokenSources {
  readonly nowMs: number;
  readonly random: (size: number) => Buffer;
}

/** The digits of a token's SHA-256 that `token list` shows. `token revoke` takes this many or more. */
const idLength = 12;

/**
 * Makes a token for a principal, and adds its hash to the configuration file, if there is one. Only the token goes to stdout;
 * messages go to stderr.
 *
 * @param configPath absolute; undefined: the hash is shown, to be added by hand
 */
export async function createToken(
  command: TokenCreateCommand,
  configPath: string | undefined,
  { nowMs, random }: TokenSources = { nowMs: Date.now(), random: randomBytes },
): Promise<Outcome> {
  const { principal } = command;
  const expires = command.expires === undefined ? undefined : parseExpiry(command.expires, nowMs);
  const access = parseAccess(command.access);
  const problems = [principalNameProblem(principal), expires?.problem, ...access.problems];
  const found = problems.filter((each) => each !== undefined);
  if (found.length > 0) return refused(found);
  const { token, sha256 } = randomToken(random);
  const kept = { sha256, expires: expires?.written };
  if (configPath === undefined) return printed(`${token}\n`, byHand(principal, kept, access.levels));
  return changeConfig(configPath, (text, warnings) => {
    const added = addToken(text, principal, kept, access.levels);
    if ('problem' in added) return { problems: [`${configPath}: ${added.problem}`] };
    const known = storesIn(text);
    const unknown = Object.keys(access.levels).filter((store) => store !== '*' && !known.includes(store));
    if (unknown.length > 0) return { problems: unknown.map((store) => unknownStore(store, known)) };
    const lacksAccess = added.isNew && Object.keys(access.levels).length === 0;
    const raised = added.raised.map((each) => `All tokens of ${principal} now have access to ${each}.\n`).join('');
    return {
      text: added.text,
      outcome: printed(`${token}\n`, inFile(principal, configPath, lacksAccess) + raised + warnings),
    };
  });
}

/** Lists the principals of a configuration file, a line for each token. */
export async function listTokens(configPath: string | undefined, nowMs = Date.now()): Promise<Outcome> {
  if (configPath === undefined) return refused([noFile]);
  try {
    const principals = principalsIn((await readConfigFile(configPath)).text);
    if ('problem' in principals) return refused([`${configPath}: ${principals.problem}`]);
    return printed(
      principals.length === 0 ? 'no principals\n' : columns(principals.flatMap((each) => principalRows(each, nowMs))),
    );
  } catch (error) {
    return refused([`the configuration file ${configPath} can't be read: ${readProblem(error)}`]);
  }
}

/** Removes a principal's token from a configuration file. */
export async function revokeToken(
  { principal, id }: TokenRevokeCommand,
  configPath: string | undefined,
): Promise<Outcome> {
  if (configPath === undefined) return refused([noFile]);
  return changeConfig(configPath, (text, warnings) => {
    const principals = principalsIn(text);
    if ('problem' in principals) return { problems: [`${configPath}: ${principals.problem}`] };
    const kept = principals.find(({ name }) => name === principal);
    const known = principals.map(({ name }) => name);
    if (kept === undefined)
      return {
        problems: [`${configPath} has no principal ${JSON.stringify(principal)}${suggestion(principal, known)}`],
      };
    const token = tokenToRevoke(kept, id);
    if (typeof token === 'string') return { problems: [token] };
    const removed = removeToken(text, principal, token.sha256);
    if ('problem' in removed) return { problems: [`${configPath}: ${removed.problem}`] };
    const isLast = kept.tokens.length === 1 && kept.certificates.length === 0;
    const stderr =
      `Revoked ${idOf(token)} of principals.${principal} in ${configPath}; a running gateway reads the file again by itself.\n` +
      (isLast ? `${principal} has no token left.\n` : '') +
      warnings;
    return { text: removed.text, outcome: printed('', stderr) };
  });
}

/** The token with this ID, or the only one; text: why there is none. */
function tokenToRevoke({ name, tokens }: KeptPrincipal, id: string | undefined): KeptToken | string {
  const all = `it has ${tokens.length === 0 ? 'none' : tokens.map(idOf).join(', ')}`;
  if (id === undefined) {
    const [only, ...others] = tokens;
    if (only === undefined || others.length > 0) return `name the token of ${name} to revoke: ${all}`;
    return only;
  }
  const start = id.toLowerCase().replace(/^sha256:/, '');
  const found = tokens.find(({ sha256 }) => start.length >= idLength && sha256.startsWith(start));
  return found ?? `${name} has no token ${JSON.stringify(id)}: ${all}`;
}

const noFile = `name the configuration file: --config FILE, or ${configVariable}`;

type Change = { readonly text: string; readonly outcome: Outcome } | { readonly problems: readonly string[] };

/**
 * Changes a configuration file.
 *
 * @param change is called with the file's text, and with warnings about the file as lines of text
 */
async function changeConfig(path: string, change: (text: string, warnings: string) => Change): Promise<Outcome> {
  let outcome = refused([]);
  try {
    await changeFile(path, async () => {
      const { text, warnings } = await readConfigFile(path);
      const changed = change(text, warnings.map((each) => `warning: ${each}\n`).join(''));
      outcome = 'problems' in changed ? refused(changed.problems) : changed.outcome;
      return 'text' in changed ? changed.text : undefined;
    });
    return outcome;
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return refused([`the configuration file ${path} can't be changed: ${readProblem(error)}`], isMissing ? 2 : 1);
  }
}

function unknownStore(store: string, known: readonly string[]): string {
  if (store === '') return '--access: there is no default store: name one, as in teams/blue=append';
  return `--access ${JSON.stringify(store)}: ${unknownName('store', store, known)}`;
}

function principalRows({ name, tokens, certificates, access }: KeptPrincipal, nowMs: number): string[][] {
  const levels = Object.entries(access).map(([store, level]) => `${store === '' ? '(default)' : store}: ${level}`);
  const may = levels.length === 0 ? 'no access' : levels.join(', ');
  const rows = tokens.map((token) => [name, idOf(token), expiryOf(token, nowMs), may]);
  if (certificates.length > 0) rows.push([name, 'certificate', certificates.join(', '), may]);
  return rows.length > 0 ? rows : [[name, 'no token', '', may]];
}

function idOf({ sha256 }: KeptToken): string {
  return sha256.slice(0, idLength);
}

function expiryOf({ expires }: KeptToken, nowMs: number): string {
  if (expires === undefined) return 'never expires';
  return `${(parseMoment(expires) ?? Infinity) <= nowMs ? 'EXPIRED' : 'until'} ${expires}`;
}

function byHand(principal: string, kept: KeptToken, access: Readonly<Record<string, string>>): string {
  return (
    "The token isn't shown again. Add its hash to the configuration file:\n\n" +
    `${tokenYaml(principal, kept, access)}\n` +
    'access grants access to stores, as in {teams/blue: append}. Keep the access of a principal that already exists.\n' +
    // An admin token has neither access to stores nor an expiry.
    (kept.expires === undefined && Object.keys(access).length === 0
      ? `Or, if it is to open the status page and the metrics, add instead:\n\nadmin-token: sha256:${kept.sha256}\n`
      : '')
  );
}

function inFile(principal: string, path: string, lacksAccess: boolean): string {
  const hint = lacksAccess
    ? `${principal} is new and has no access to any store yet: list stores in its access.\n`
    : '';
  return `The token isn't shown again. Its hash was added to principals.${principal} in ${path}.\n${hint}`;
}
