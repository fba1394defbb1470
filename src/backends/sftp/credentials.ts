import { readFile } from 'node:fs/promises';
import type { AnyAuthMethod, BaseAgent, ParsedKey } from 'ssh2';
import type { Logger } from '../../lib/logger.js';
import { restrictedAgent } from './restricted-agent.js';
import type { SftpOptions } from './options.js';
import { ssh2 } from './ssh2.js';
import { ConnectFailure } from './status.js';
import type { Identity, Target } from './target.js';

/**
 * The ways to log in, in the order to try them: keys named by the operator, the agent's keys, the keys of the SSH configuration, the
 * password. Files are read for each connection, so that keys can be replaced while the gateway runs. Fails with a ConnectFailure,
 * `permission_denied`, if something that the operator named can't be used.
 */
export async function credentials(
  target: Target,
  options: SftpOptions,
  log: Pick<Logger, 'warn'>,
): Promise<AnyAuthMethod[]> {
  const username = target.user;
  const passphrase = await passphraseOf(options);
  const named: AnyAuthMethod[] = [];
  const usual: AnyAuthMethod[] = [];
  const publicKeys: Buffer[] = [];
  for (const identity of target.identities) {
    const key = await readIdentity(identity, passphrase, log);
    if (key !== undefined) (identity.required ? named : usual).push({ type: 'publickey', username, key });
    const half = key?.getPublicSSH() ?? (await readPublicHalf(identity.file));
    if (half !== undefined) publicKeys.push(half);
  }
  const agent: AnyAuthMethod[] =
    target.agent === undefined
      ? []
      : [{ type: 'agent', username, agent: agentOf(target.agent, target.identitiesOnly ? publicKeys : undefined) }];
  return [...named, ...agent, ...usual, ...(await passwordMethods(username, options))];
}

function agentOf(socket: string, only: readonly Buffer[] | undefined): BaseAgent {
  const agent = ssh2().createAgent(socket);
  return only === undefined ? agent : restrictedAgent(agent, only);
}

async function passphraseOf({ passphraseEnv, passphraseFile, env }: SftpOptions): Promise<string | undefined> {
  if (passphraseFile !== undefined) return firstLine(passphraseFile, 'the passphrase');
  if (passphraseEnv === undefined) return undefined;
  const passphrase = env[passphraseEnv];
  if (passphrase === undefined) {
    throw new ConnectFailure(
      'permission_denied',
      `the environment variable ${passphraseEnv} with the passphrase is not set`,
    );
  }
  return passphrase;
}

async function passwordMethods(username: string, { passwordFile }: SftpOptions): Promise<AnyAuthMethod[]> {
  if (passwordFile === undefined) return [];
  const password = await firstLine(passwordFile, 'the password');
  return [
    { type: 'password', username, password },
    {
      // Many servers accept a password only this way.
      type: 'keyboard-interactive',
      username,
      prompt: (_name, _instructions, _language, prompts, finish) => {
        finish(prompts.map(({ echo }) => (echo === true ? '' : password)));
      },
    },
  ];
}

async function readIdentity(
  { file, required }: Identity,
  passphrase: string | undefined,
  log: Pick<Logger, 'warn'>,
): Promise<ParsedKey | undefined> {
  const reject = (message: string, cause: unknown): undefined => {
    if (required) throw new ConnectFailure('permission_denied', message, { cause });
    log.warn({ file }, message);
    return undefined;
  };
  let text: Buffer;
  try {
    text = await readFile(file);
  } catch (error) {
    // One of OpenSSH's defaults: most of them are missing.
    if (!required && error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    return reject(`the identity ${file} can't be read`, error);
  }
  const plain = parsed(text, undefined);
  if (!(plain instanceof Error)) {
    return plain.isPrivateKey() ? plain : reject(`the identity ${file} is a public key, not a private one`, undefined);
  }
  const decrypted = passphrase === undefined ? undefined : parsed(text, passphrase);
  if (decrypted !== undefined && !(decrypted instanceof Error)) return decrypted;
  const encrypted = /encrypted/i.test(plain.message);
  if (!encrypted) return reject(`the identity ${file} is not a private key of a kind that is supported`, plain);
  return passphrase === undefined
    ? reject(`the identity ${file} is encrypted: its passphrase has to be given, in a variable or a file`, plain)
    : reject(`the passphrase of the identity ${file} is wrong`, decrypted);
}

function parsed(text: Buffer, passphrase: string | undefined): ParsedKey | Error {
  const keys: ParsedKey | ParsedKey[] | Error = ssh2().utils.parseKey(text, passphrase);
  if (!Array.isArray(keys)) return keys;
  // ssh2 returns a list for OpenSSH's own format, which could hold several keys but holds one.
  return (keys as ParsedKey[])[0] ?? new Error('no key in it');
}

/** The public half of an identity, whose private half may be in the agent only. */
async function readPublicHalf(file: string): Promise<Buffer | undefined> {
  try {
    const key = parsed(await readFile(`${file}.pub`), undefined);
    return key instanceof Error ? undefined : key.getPublicSSH();
  } catch {
    return undefined;
  }
}

async function firstLine(file: string, what: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).split(/\r?\n/)[0] ?? '';
  } catch (error) {
    throw new ConnectFailure('permission_denied', `${what} can't be read from ${file}`, { cause: error });
  }
}
