import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Bench } from '../bench.js';
import type { Outcome } from '../driver.js';

export type ClientCommand =
  | readonly ['backup', location: string, folder: string]
  | readonly ['list', location: string]
  | readonly ['check', location: string]
  | readonly ['restore', location: string, snapshot: string, folder: string];

export interface ClientOptions {
  /** Don't use HTTP/2, also where the server offers it. */
  readonly http1?: boolean;
}

/** Runs the client in test/interop once. Its caches are new in each run, so it reads everything from the store. */
export async function runClient(
  bench: Bench,
  command: ClientCommand,
  { http1 = false }: ClientOptions = {},
): Promise<{ readonly outcome: Outcome; readonly result: unknown }> {
  const start = performance.now();
  const { stdout } = await promisify(execFile)(bench.programs.klosetClient, command, {
    env: {
      TMPDIR: bench.folder,
      HOME: bench.programs.plakarHome,
      PATH: process.env['PATH'],
      SSL_CERT_FILE: bench.certificate.cert,
      ...(http1 ? { GODEBUG: 'http2client=0' } : {}),
    },
  });
  const ms = performance.now() - start;
  return { outcome: { ops: 1, seconds: ms / 1000, p50Ms: ms }, result: JSON.parse(stdout) };
}
