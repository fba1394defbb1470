import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../lib/logger.js';
import type { SftpLocation } from './location.js';
import type { SftpOptions } from './options.js';
import { ConnectFailure } from './status.js';

/** The settings of OpenSSH's client for a host: keywords in lower case, each with its values in order. */
export type SshConfig = ReadonlyMap<string, readonly string[]>;

/**
 * The SSH configuration for a location, from OpenSSH's own client (`ssh -G`), so that Host, Match, Include and all defaults work as users
 * expect. Empty if no such client is installed, with a warning if there is a configuration that is not read. Fails with a ConnectFailure,
 * `invalid_argument`, if the client rejects it.
 */
export async function readSshConfig(
  location: SftpLocation,
  options: SftpOptions,
  log: Pick<Logger, 'warn'>,
): Promise<SshConfig> {
  const output = await askClient(queryArguments(location, options.sshConfig), options);
  if (output !== undefined) return parseSshConfig(output);
  const file = options.sshConfig ?? join(options.home, '.ssh', 'config');
  if (file !== 'none' && (await exists(file))) {
    log.warn(
      { file },
      'the SSH configuration is not read: that needs the ssh program of OpenSSH, which is not installed',
    );
  }
  return new Map();
}

/** Parses the output of `ssh -G`: a keyword and its value on each line. */
export function parseSshConfig(output: string): SshConfig {
  const config = new Map<string, string[]>();
  for (const line of output.split('\n')) {
    const [, keyword, value] = /^(\S+) (.*)$/.exec(line) ?? [];
    if (keyword === undefined || value === undefined) continue;
    const values = config.get(keyword) ?? [];
    config.set(keyword, [...values, value.trimEnd()]);
  }
  return config;
}

/** Arguments, never a command line: no part of a location may become an option or a command. */
function queryArguments({ host, user, port }: SftpLocation, file: string | undefined): string[] {
  return [
    '-G',
    ...(file === undefined ? [] : ['-F', file]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(user === undefined ? [] : ['-l', user]),
    '--',
    host,
  ];
}

/** Resolves to undefined if `ssh` is not installed. */
function askClient(args: string[], { env, connectTimeoutMs = 20_000 }: SftpOptions): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    // The time limit is for a `Match exec` that hangs.
    execFile('ssh', args, { env, timeout: connectTimeoutMs }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else if (error.code === 'ENOENT') resolve(undefined);
      else {
        const reason = stderr.trim().replaceAll('\n', '; ') || error.message;
        reject(
          new ConnectFailure('invalid_argument', `the SSH configuration can't be used: ${reason}`, { cause: error }),
        );
      }
    });
  });
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
