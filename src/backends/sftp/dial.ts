import ssh2, { type AnyAuthMethod, type Client, type SFTPWrapper } from 'ssh2';
import type { Logger } from '../../lib/logger.js';
import { credentials } from './credentials.js';
import { hostKeys, type HostKeys } from './host-key.js';
import { linkOptions, type SftpOptions } from './options.js';
import { Session } from './session.js';
import { ConnectFailure } from './status.js';
import type { Target } from './target.js';
import { openTransport, type Transport } from './transport.js';

/** With these, and the processor's own instructions, encryption costs least. The others are for servers without them. */
const ciphers = ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'aes128-ctr', 'aes192-ctr', 'aes256-ctr'] as const;

/**
 * Connects, checks the host key, logs in and opens an SFTP channel. Leaves nothing open when it fails, which it does with a
 * ConnectFailure.
 *
 * @param stopped aborts when nobody needs the connection any more
 */
export async function dial(
  target: Target,
  options: SftpOptions,
  log: Pick<Logger, 'warn'>,
  stopped: AbortSignal,
): Promise<Session> {
  // Not AbortSignal.any of a timeout: on Node 20 the garbage collector may take it before it fires.
  const attempt = new AbortController();
  const abort = (): void => {
    attempt.abort();
  };
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
  const client = new ssh2.Client();
  // For good: what is late must not end the process. Whoever waits for something listens too.
  client.on('error', () => undefined);
  try {
    await login(client, transport, { target, keys, methods, signal, options, log });
    const sftp = await openSftpChannel(client, target, signal);
    return new Session(client, sftp, transport, linkOptions(options));
  } catch (error) {
    transport.destroy();
    throw error;
  }
}

interface LoginDetails {
  readonly target: Target;
  readonly keys: HostKeys;
  readonly methods: readonly AnyAuthMethod[];
  readonly signal: AbortSignal;
  readonly options: SftpOptions;
  readonly log: Pick<Logger, 'warn'>;
}

function login(client: Client, transport: Transport, details: LoginDetails): Promise<void> {
  const { target, keys, methods, options, log } = details;
  const remaining = [...methods];
  let refusal: unknown;
  return new Promise<void>((resolve, reject) => {
    const fail = (error: unknown): void => {
      reject(refusal instanceof ConnectFailure ? refusal : loginFailure(target, error));
    };
    onAbort(details.signal, () => {
      fail(new Error('no answer in time'));
    });
    client.on('ready', resolve);
    client.on('close', () => {
      fail(new Error('the server closed the connection'));
    });
    client.on('error', (error: Error & { level?: string }) => {
      // Other keys are tried after an agent that fails.
      if (error.level === 'agent') log.warn({ error: error.message }, 'the SSH agent failed');
      else fail(error);
    });
    client.connect({
      sock: transport.stream,
      username: target.user,
      algorithms: { cipher: [...ciphers], serverHostKey: keys.algorithms },
      hostVerifier: (key: Buffer) => {
        try {
          keys.check(key);
          return true;
        } catch (error) {
          refusal = error;
          return false;
        }
      },
      authHandler: (_left, _partial, next) => {
        next(remaining.shift() ?? (false as never));
      },
      readyTimeout: 0,
      // ssh2 only sends what keeps the line busy: whether it is dead is for the session to say, which knows all traffic.
      keepaliveInterval: linkOptions(options).keepAliveMs,
      keepaliveCountMax: Number.MAX_SAFE_INTEGER,
    });
  });
}

function loginFailure(target: Target, error: unknown): ConnectFailure {
  if (error instanceof ConnectFailure) return error;
  const where = `${target.host} port ${target.port}`;
  const { level, message } = error as Error & { level?: string };
  if (level === 'client-authentication') {
    return new ConnectFailure(
      'login',
      `the SSH server at ${where} doesn't let ${target.user} in: none of ${methodsOf(target)} was accepted`,
      { cause: error },
    );
  }
  return new ConnectFailure('unreachable', `no SSH connection to ${where}: ${message}`, { cause: error });
}

function methodsOf({ agent, identities }: Target): string {
  const files = identities.map(({ file }) => file);
  return [...(agent === undefined ? [] : ["the agent's keys"]), ...files, 'a password, where one was given'].join(', ');
}

function openSftpChannel(client: Client, target: Target, signal: AbortSignal): Promise<SFTPWrapper> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      const reason = error instanceof Error ? error.message : 'the connection closed';
      const message = `the SSH server at ${target.host} port ${target.port} offers no SFTP: ${reason}`;
      reject(new ConnectFailure('unreachable', message, { cause: error }));
    };
    onAbort(signal, () => {
      fail(new Error('no answer in time'));
    });
    client.on('close', () => {
      fail(undefined);
    });
    client.sftp((error, sftp) => {
      if (error === undefined) resolve(sftp);
      else fail(error);
    });
  });
}

/** Also where it was aborted before: a listener alone would never be called then. */
function onAbort(signal: AbortSignal, listener: () => void): void {
  if (signal.aborted) listener();
  else signal.addEventListener('abort', listener, { once: true });
}
