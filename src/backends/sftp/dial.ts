import type { Client, SFTPWrapper } from 'ssh2';
import type { Logger } from '../../lib/logger.js';
import { credentials } from './credentials.js';
import { hostKeys } from './host-key.js';
import { linkOptions, type SftpOptions } from './options.js';
import { Session } from './session.js';
import { ssh2 } from './ssh2.js';
import { ConnectFailure } from './status.js';
import type { Target } from './target.js';
import { openTransport } from './transport.js';

/** The first two are the fastest, with hardware support; the others are for servers without them. */
const ciphers = [
  ...(['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com'] as const),
  ...(['aes128-ctr', 'aes192-ctr', 'aes256-ctr', 'chacha20-poly1305@openssh.com'] as const),
];

/**
 * Connects, checks the host key, logs in and opens an SFTP channel. Fails with a ConnectFailure, and leaves nothing open then.
 *
 * @param stopped aborts when the connection is no longer needed
 */
export async function dial(
  target: Target,
  options: SftpOptions,
  log: Pick<Logger, 'warn'>,
  stopped: AbortSignal,
): Promise<Session> {
  // Not AbortSignal.any with a timeout: on Node 20 it may be garbage collected before it fires.
  const attempt = new AbortController();
  const abort = (): void => attempt.abort();
  const timer = setTimeout(abort, linkOptions(options).connectTimeoutMs);
  stopped.addEventListener('abort', abort, { once: true });
  try {
    return await connect(target, options, log, attempt.signal);
  } finally {
    clearTimeout(timer);
    stopped.removeEventListener('abort', abort);
  }
}

async function connect(
  target: Target,
  options: SftpOptions,
  log: Pick<Logger, 'warn'>,
  signal: AbortSignal,
): Promise<Session> {
  const keys = await hostKeys(target);
  const methods = await credentials(target, options, log);
  const transport = await openTransport(target, options.env, signal);
  const { Client } = ssh2();
  const client = new Client();
  const failed = failureOf(client, signal, log);
  try {
    // Fails if the host key is wrong; other failures are events of the client.
    const ready = new Promise<void>((resolve, reject) => {
      client.on('ready', resolve);
      client.connect({
        sock: transport.stream,
        username: target.user,
        algorithms: { cipher: ciphers, serverHostKey: keys.algorithms },
        hostVerifier: (key: Buffer) => {
          try {
            keys.check(key);
            return true;
          } catch (error) {
            reject(error as Error);
            return false;
          }
        },
        // `false` means that there are no more methods; the types lack it.
        authHandler: (_left, _partial, next) => next(methods.shift() ?? (false as never)),
        readyTimeout: 0,
        // ssh2 only sends keepalives: the session, which sees all traffic, decides whether the connection is dead.
        keepaliveInterval: linkOptions(options).keepAliveMs,
        keepaliveCountMax: Number.MAX_SAFE_INTEGER,
      });
    });
    await Promise.race([ready, failed]).catch((error: unknown) => {
      throw loginFailure(target, error);
    });
    const sftp = await Promise.race([openSftpChannel(client), failed]).catch((cause: unknown) => {
      const message = `the SSH server at ${target.host} port ${target.port} offers no SFTP: ${messageOf(cause)}`;
      throw new ConnectFailure('unavailable', message, { cause });
    });
    return new Session(client, sftp, transport, linkOptions(options));
  } catch (error) {
    transport.destroy();
    throw error;
  }
}

/** Rejects when the client fails, or the attempt is aborted. Later errors are ignored: one without a listener would end the process. */
function failureOf(client: Client, signal: AbortSignal, log: Pick<Logger, 'warn'>): Promise<never> {
  const failed = new Promise<never>((_, reject) => {
    const abort = (): void => reject(new Error('no answer in time'));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    client.on('close', () => reject(new Error('the server closed the connection')));
    client.on('error', (error: Error & { level?: string }) => {
      // After a failure of the agent, other keys are tried.
      if (error.level === 'agent') log.warn({ error: error.message }, 'the SSH agent failed');
      else reject(error);
    });
  });
  failed.catch(() => undefined);
  return failed;
}

function loginFailure(target: Target, error: unknown): ConnectFailure {
  if (error instanceof ConnectFailure) return error;
  const where = `${target.host} port ${target.port}`;
  if (error instanceof Error && 'level' in error && error.level === 'client-authentication') {
    return new ConnectFailure(
      'permission_denied',
      `the SSH server at ${where} doesn't let ${target.user} in: none of ${methodsOf(target)} was accepted`,
      { cause: error },
    );
  }
  return new ConnectFailure('unavailable', `no SSH connection to ${where}: ${messageOf(error)}`, { cause: error });
}

function methodsOf({ agent, identities }: Target): string {
  const files = identities.map(({ file }) => file);
  return [...(agent === undefined ? [] : ["the agent's keys"]), ...files, 'a password, where one was given'].join(', ');
}

function openSftpChannel(client: Client): Promise<SFTPWrapper> {
  return new Promise((resolve, reject) => {
    client.sftp((error, sftp) => (error === undefined ? resolve(sftp) : reject(error)));
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
