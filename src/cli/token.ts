import { randomBytes } from 'node:crypto';
import { createToken } from '../auth/tokens.js';
import { principalNameProblem } from '../config/checks/principals.js';
import { resolvePath, type Surroundings } from '../config/paths.js';
import { readConfigFile } from '../config/load.js';
import { parseMoment } from '../config/settings/principals.js';
import { changeFile } from './change-file.js';
import { refused, type Outcome } from './outcome.js';
import type { TokenCommand } from './parse.js';
import { addToken, tokenYaml, type KeptToken } from './token-file.js';

/** The clock, in milliseconds since 1970, and chance. */
export interface TokenSources {
  readonly nowMs: number;
  readonly random: (size: number) => Buffer;
}

const dayMs = 86_400_000;

/**
 * Makes a token for a principal, and adds its hash to the configuration file where one is named. The token itself is all of the
 * standard output, and nowhere else; what to do with it is on the other one.
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

/** When a token ends, as the configuration file has it: a time from now, or a date. */
function parseExpiry(text: string, nowMs: number): { readonly written?: string; readonly problem?: string } {
  const [, number, unit] = /^(\d{1,5})(h|d)$/.exec(text) ?? [];
  const from = unit === 'h' ? dayMs / 24 : dayMs;
  const at = number === undefined ? parseMoment(text) : nowMs + Number(number) * from;
  if (at === undefined) {
    return {
      problem: `--expires ${JSON.stringify(text)}: it has to be a number of days or hours, as in 90d or 12h, or a date`,
    };
  }
  if (at <= nowMs) return { problem: `--expires ${text}: that is over already` };
  return { written: number === undefined ? text : new Date(at).toISOString().replace(/\.\d+/, '') };
}

function byHand(principal: string, kept: KeptToken): string {
  return (
    'The token is shown this once. Its hash belongs in the configuration file:\n\n' +
    `${tokenYaml(principal, kept)}\n` +
    'access says what it may do, as in {teams/blue: append}; leave that of a principal that is there already.\n'
  );
}

function inFile(principal: string, path: string, isNew: boolean): string {
  const hint = isNew ? `${principal} is new, and may do nothing yet: name stores in its access.\n` : '';
  return `The token is shown this once. Its hash was added to principals.${principal} in ${path}.\n${hint}`;
}
