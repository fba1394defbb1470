import { randomBytes } from 'node:crypto';
import { createToken } from '../auth/tokens.js';
import { principalNameProblem } from '../config/checks/principals.js';
import { resolvePath, type Surroundings } from '../lib/paths.js';
import { readConfigFile } from '../config/load.js';
import { parseMoment } from '../config/settings/principals.js';
import { changeFile } from './change-file.js';
import { refused, type Outcome } from './outcome.js';
import type { TokenCommand } from './parse.js';
import { addToken, tokenYaml, type KeptToken } from './token-file.js';

/** The current time, in milliseconds since 1970, and a source of random bytes. */
export interface TokenSources {
  readonly nowMs: number;
  readonly random: (size: number) => Buffer;
}

const dayMs = 86_400_000;

/**
 * Makes a token for a principal, and adds its hash to the configuration file, if one is named. Only the token goes to stdout;
 * messages go to stderr.
 */
export async function createTokenFor(
  command: TokenCommand,
  surroundings: Surroundings,
  { nowMs, random }: TokenSources = { nowMs: Date.now(), random: randomBytes },
): Promise<Outcome> {
  const { principal, configPath } = command;
  const expires = command.expires === undefined ? undefined : parseExpiry(command.expires, nowMs);
  const problems = [principalNameProblem(principal), expires?.problem].filter((each) => each !== undefined);
  if (problems.length > 0) return refused(problems);
  const { token, sha256 } = createToken(random);
  const kept = { sha256, expires: expires?.written };
  if (configPath === undefined) return made(token, byHand(principal, kept));
  const path = resolvePath(configPath, surroundings);
  try {
    let outcome = made(token, '');
    await changeFile(path, async () => {
      const { text, warnings } = await readConfigFile(path);
      const added = addToken(text, principal, kept);
      if ('problem' in added) {
        outcome = refused([`${path}: ${added.problem}`]);
        return undefined;
      }
      outcome = made(
        token,
        inFile(principal, path, added.isNew) + warnings.map((each) => `warning: ${each}\n`).join(''),
      );
      return added.text;
    });
    return outcome;
  } catch (error) {
    return refused([`${path}: ${error instanceof Error ? error.message : String(error)}`], 1);
  }
}

function made(token: string, stderr: string): Outcome {
  return { exitCode: 0, stdout: `${token}\n`, stderr };
}

/** When a token expires, in the form of the configuration file. `text` is a duration from now, or a date. */
function parseExpiry(text: string, nowMs: number): { readonly written?: string; readonly problem?: string } {
  const [, number, unit] = /^(\d{1,5})(h|d)$/.exec(text) ?? [];
  const from = unit === 'h' ? dayMs / 24 : dayMs;
  const at = number === undefined ? parseMoment(text) : nowMs + Number(number) * from;
  if (at === undefined) {
    return {
      problem: `--expires ${JSON.stringify(text)}: must be a number of days or hours, as in 90d or 12h, or a date`,
    };
  }
  if (at <= nowMs) return { problem: `--expires ${text}: that is in the past` };
  return { written: number === undefined ? text : new Date(at).toISOString().replace(/\.\d+/, '') };
}

function byHand(principal: string, kept: KeptToken): string {
  return (
    "The token isn't shown again. Add its hash to the configuration file:\n\n" +
    `${tokenYaml(principal, kept)}\n` +
    'access grants access to stores, as in {teams/blue: append}. Keep the access of a principal that already exists.\n'
  );
}

function inFile(principal: string, path: string, isNew: boolean): string {
  const hint = isNew ? `${principal} is new and has no access to any store yet: list stores in its access.\n` : '';
  return `The token isn't shown again. Its hash was added to principals.${principal} in ${path}.\n${hint}`;
}
