import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FileStore } from '../../src/backends/files/file-store.js';
import { openSftp } from '../../src/backends/sftp/open-sftp.js';
import type { Settings } from '../../src/config/config.js';
import { formatSftpLocation } from '../../src/backends/sftp/location.js';
import { host, silent } from '../support/gateway.js';
import { GrpcStore } from '../support/grpc-store.js';
import { HttpStore } from '../support/http-store.js';
import { PatientStore } from '../support/patient-store.js';
import { hasSshd, Sshd } from '../support/sshd.js';
import { emptyStore } from '../support/temp.js';
import { openThrough, undoable } from './open-through.js';
import { overGrpc, overHttp } from './protocol-options.js';
import { describeStore, maxObjectBytes } from './store-suite.js';

describe('a store on a real OpenSSH server', () => {
  let sshd: Sshd;

  before(async function () {
    if (!hasSshd()) this.skip();
    sshd = await Sshd.start();
  });

  after(async () => {
    await sshd?.stop();
  });

  /** As an operator says it on the command line. */
  function locate(folder: string): { location: string; settings: Settings } {
    return { location: formatSftpLocation(sshd.location(folder)), settings: sshd.settings };
  }

  for (const [name, options] of [
    // One without a trash that is synced is behind the protocols, below.
    ['with a trash, synced', { durable: true, trashes: true }],
    ['not synced', { durable: false }],
  ] as const) {
    describeStore(
      `itself, ${name},`,
      async () => {
        const folder = await emptyStore();
        const files = await openSftp(sshd.location(folder), sshd.options, silent);
        const store = await FileStore.open(files, { ...options, maxObjectBytes, host });
        return { store, folder, config: await readFile(join(folder, 'CONFIG')), close: () => store.close() };
      },
      { onDisk: true },
    );
  }

  describeStore(
    'with a retention and a trash, through HTTP, it',
    () =>
      openThrough(
        ({ httpPort }) => new PatientStore(new HttpStore(httpPort)),
        (folder) => {
          const { location, settings } = locate(folder);
          return { location, settings: { ...settings, ...undoable } };
        },
      ),
    overHttp,
  );

  describeStore('through gRPC, it', () => openThrough(({ grpcPort }) => new GrpcStore(grpcPort), locate), overGrpc);
});
