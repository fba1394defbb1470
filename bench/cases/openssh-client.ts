import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Bench } from '../bench.js';
import type { Contestant } from '../case.js';
import type { SftpHost } from '../servers/sftp.js';

export interface Transfers {
  readonly put: boolean;
  /** How many clients run at a time. */
  readonly sessions: number;
  /** How many files they transfer together. */
  readonly transfers: number;
  /** The size of each file, in bytes. */
  readonly size: number;
}

/** Makes a contestant of OpenSSH's `sftp`, which transfers the same bytes directly. Its time includes the log-in. */
export async function openSshClient(
  bench: Bench,
  host: SftpHost,
  { put, sessions, transfers, size }: Transfers,
): Promise<Contestant> {
  const folder = bench.newPath('openssh');
  await mkdir(folder);
  const source = join(folder, 'source');
  await writeFile(source, Buffer.alloc(size, 'noise'));
  const each = transfers / sessions;
  for (let session = 0; session < sessions; session++) {
    const lines = Array.from({ length: each }, (_, n) => {
      const copy = join(folder, `copy-${session}-${put ? n : 0}`);
      return `${put ? 'put' : 'get'} ${source} ${copy}`;
    });
    await writeFile(join(folder, `batch-${session}`), `${lines.join('\n')}\n`);
  }
  const transfer = (session: number) => promisify(execFile)('sftp', host.client(join(folder, `batch-${session}`)));
  return {
    name: 'openssh sftp',
    run: async () => {
      const start = performance.now();
      await Promise.all(Array.from({ length: sessions }, (_, session) => transfer(session)));
      return { ops: transfers, bytes: transfers * size, seconds: (performance.now() - start) / 1000 };
    },
    after: async () => {
      for (let session = 0; session < sessions; session++) {
        for (let n = 0; n < each; n++) await rm(join(folder, `copy-${session}-${n}`), { force: true });
      }
    },
  };
}
