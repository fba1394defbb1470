import { expect } from 'chai';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { objectPath } from '../../../src/backends/files/layout.js';
import { formatSftpLocation } from '../../../src/backends/sftp/location.js';
import type { Settings } from '../../../src/config/config.js';
import type { ObjectRef } from '../../../src/core/object.js';
import { statusOf } from '../../interop/status.js';
import { startTestGateway, type TestGateway } from '../../support/gateway.js';
import { GrpcStore } from '../../support/grpc-store.js';
import { makeObject, newRef } from '../../support/objects.js';
import { s3Server } from '../../support/s3-server.js';
import { hasSshd, Sshd } from '../../support/sshd.js';
import { eventually, getAll, putAll } from '../../support/store.js';
import { emptyStore, tempFolder } from '../../support/temp.js';

/** Where a mirror is. */
interface Place {
  readonly location: string;
  /** The same as a folder of this machine. */
  readonly folder: string;
  readonly settings: Settings;
  readonly env?: Readonly<Record<string, string>>;
  /** Its server goes away, and is there again. */
  pause(): Promise<void>;
  resume(): Promise<void>;
}

type Objects = readonly (readonly [ObjectRef, Buffer])[];

describe('A gateway whose store has a mirror', function () {
  this.timeout(120_000);
  let sshd: Sshd | undefined;
  let gateway: TestGateway | undefined;

  afterEach(async () => {
    await gateway?.close();
    await sshd?.stop();
    [gateway, sshd] = [undefined, undefined];
  });

  /** Called in the `describe` of the tests there. */
  const places: Readonly<Record<string, () => () => Promise<Place>>> = {
    'an SSH server': () => {
      before(function () {
        if (!process.env['CI'] && !hasSshd()) this.skip();
      });
      return async () => {
        const server = (sshd = await Sshd.start());
        const folder = await emptyStore();
        const location = formatSftpLocation(server.location(folder));
        const { settings } = server;
        return { location, folder, settings, pause: () => server.pause(), resume: () => server.resume() };
      };
    },
    'an S3 server': () => {
      const bucket = s3Server();
      return async () => {
        const server = bucket();
        const { settings, env } = server;
        const prefix = await server.emptyStore();
        const where = { location: server.location(prefix), folder: join(server.folder, prefix) };
        return { ...where, settings, env, pause: () => server.pause(), resume: () => server.resume() };
      };
    },
  };

  /** Puts a packfile and the state that needs it, through the gateway. */
  async function backup(store: GrpcStore): Promise<Objects> {
    const objects = (['packfile', 'state'] as const).map(
      (kind) => [newRef(kind), makeObject(kind, 100_000, kind)] as const,
    );
    for (const [ref, bytes] of objects) await putAll(store, ref, bytes);
    return objects;
  }

  for (const [name, placesOf] of Object.entries(places)) {
    describe(`on ${name}`, () => {
      const placeOf = placesOf();

      it('has there what is put into it, reads from there what is lost, and does so after a restart', async () => {
        const place = await placeOf();
        const here = await emptyStore();
        const stateDir = await tempFolder();
        const start = async (): Promise<GrpcStore> => {
          const mirror = { to: place.location, 'read-fallback': true };
          const settings: Settings = {
            ...place.settings,
            'admin-listen': ['127.0.0.1:0'],
            'min-free-space': 0,
            'state-dir': stateDir,
            stores: { blue: { location: here, anonymous: 'append', mirror } },
          };
          const mirroringTimes = { settleMs: 50, firstPauseMs: 100, maxPauseMs: 500, retryMs: 20 };
          gateway = await startTestGateway(undefined, settings, { mirroringTimes, env: place.env ?? {} });
          return new GrpcStore(gateway.grpcPort, { store: 'blue' });
        };
        const mirrorStatus = async () => gateway && (await statusOf(gateway)).stores[0]?.mirror;
        const arrived = (objects: Objects) =>
          eventually(async () => {
            const mirror = await mirrorStatus();
            const isComplete = mirror?.missingObjects === 0 && (await areThere(place.folder, objects));
            return isComplete && mirror.lastSuccessMs;
          }, 'the mirror has everything');
        /** Loses objects here, and reads them. */
        const expectFallback = async (store: GrpcStore, objects: Objects): Promise<void> => {
          for (const [ref, bytes] of objects) {
            await rm(join(here, objectPath(ref)));
            expect((await getAll(store, ref)).equals(bytes), `the ${ref.kind} from the mirror`).to.equal(true);
          }
        };

        const store = await start();
        await arrived([]);
        const first = await backup(store);
        const lastSuccessMs = await arrived(first);
        await expectFallback(store, first);
        await gateway?.close();
        await place.pause();

        const restartMs = Date.now();
        const again = await start();
        const second = await backup(again);
        expect((await mirrorStatus())?.lastSuccessMs, 'from before').to.be.within(lastSuccessMs, restartMs);
        await place.resume();
        await arrived(second);
        await expectFallback(again, second);
        for (const [ref, bytes] of first) expect((await getAll(again, ref)).equals(bytes)).to.equal(true);
      });
    });
  }
});

/** Whether these files are whole in a folder. */
async function areThere(folder: string, objects: Objects): Promise<boolean> {
  const found = await Promise.all(
    objects.map(async ([ref, bytes]) => {
      const file = await readFile(join(folder, objectPath(ref))).catch(() => undefined);
      return file?.equals(bytes) === true;
    }),
  );
  return found.every(Boolean);
}
