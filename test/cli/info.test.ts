import { expect } from 'chai';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startTestGateway } from '../support/gateway.js';
import { emptyStore, fixtureStore, type Fixture } from '../support/temp.js';
import { refOf, run, runJson, storeWithRemoval, UsedStore } from './support/undo.js';

interface Info {
  readonly format?: string;
  readonly encrypted: boolean;
  readonly encryption?: string;
  readonly repositoryId: string;
  readonly objects: object;
  readonly firstArrival?: string;
  readonly lastArrival?: string;
  readonly months: readonly { readonly month: string }[];
  readonly largest: readonly { readonly bytes: number }[];
  readonly locks: readonly object[];
  readonly trash?: object;
  readonly unfinished?: object;
  readonly digests?: object;
}

describe('info', () => {
  it('shows what a store has, when it arrived, and what else is in its folder', async () => {
    const store = await storeWithRemoval();
    await store.arrived('state', 'E', '2026-03-01T00:00:00Z', 600);
    await store.arrived('lock', 'E', '2026-03-01T00:00:00Z', 124);
    await writeFile(join(store.path, 'packfiles', 'tmp.123'), Buffer.alloc(300));
    await writeFile(join(store.path, 'states', 'tmp.kloset-gateway.nas.1.0123456789abcdef'), Buffer.alloc(212));
    const { exitCode, stdout, stderr } = await run('info', store.path);
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: '' });
    const lines = stdout.split('\n').map((line) => line.trim().replaceAll(/ {2,}/g, ' | '));
    for (const line of [
      'repository | 98fb1619-e231-4f29-84c2-1eb9a017702e',
      'created | 2026-11-23T15:14:00Z',
      'format | 1.1',
      'encryption | none: everyone who can read this store can read the backups',
      'objects | 2 packfiles, 195 KiB, and 4 states, 10.5 KiB',
      'first arrival | 2026-01-05T03:00:00Z',
      'last arrival | 2026-03-01T00:00:00Z',
      'locks | 1 lock, 1 of them stale',
      'trash | 1 packfile, 97.7 KiB, and 1 state, 4.88 KiB',
      'unfinished uploads | 2, 512 B',
      'digests | none',
      'month | packfiles | states | together',
      '2026-01 | 2, 195 KiB | 3, 9.91 KiB | 205 KiB',
      '2026-03 | - | 1, 600 B | 600 B',
      `97.7 KiB | packfile | ${refOf('packfile', 'C').mac} | 2026-01-15T03:00:00Z`,
    ])
      expect(lines).to.include(line);
    expect(lines.filter((line) => line.endsWith('stale') && line.includes(refOf('lock', 'E').mac))).to.have.length(1);
  });

  it('says that no state has arrived yet', async () => {
    const store = await UsedStore.create();
    await store.arrived('packfile', 'A', '2026-03-01T00:00:00Z');
    expect((await run('info', store.path)).stdout).to.match(/^ *format +no state has arrived yet$/m);
  });

  for (const [fixture, format, encryption] of [
    ['v1.0-encrypted/store-two-snapshots', '1.0', 'AES256-GCM-SIV'],
    ['v1.1-plaintext/store-two-snapshots', '1.1', undefined],
  ] as const satisfies readonly [Fixture, string, string | undefined][]) {
    it(`tells programs the format and encryption of a real store (${fixture})`, async () => {
      const info = await runJson<Info>('info', await fixtureStore(fixture));
      expect(info).to.deep.include({ format, encrypted: encryption !== undefined });
      expect(info.encryption).to.equal(encryption);
      expect(info.repositoryId).to.match(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    });
  }

  it('names the ten largest objects', async () => {
    const store = await UsedStore.create();
    const sizes = [700, 300, 1500, 900, 1100, 100, 1300, 500, 200, 1400, 1000, 1200];
    for (const size of sizes) await store.arrived('packfile', `${size}`, '2026-01-01T00:00:00Z', size);
    const { largest } = await runJson<Info>('info', store.path);
    expect(largest.map(({ bytes }) => bytes)).to.deep.equal(sizes.toSorted((a, b) => b - a).slice(0, 10));
  });

  it('of an empty store says so', async () => {
    const path = await emptyStore();
    const { stdout } = await run('info', path);
    expect(stdout)
      .to.match(/format +no state has arrived yet\n/)
      .and.to.match(/first arrival +none\n/);
    expect(stdout).not.to.include('By month');
    const info = await runJson<Info>('info', path);
    expect(info.months).to.be.empty;
    expect(info).not.to.have.any.keys('firstArrival', 'lastArrival', 'format');
  });

  it('shows of a store at another gateway what that tells', async () => {
    const store = await storeWithRemoval();
    await mkdir(join(store.path, 'locks'), { recursive: true });
    const gateway = await startTestGateway(store.path);
    const location = `grpc://127.0.0.1:${gateway.grpcPort}`;
    const info = await runJson<Info>('info', location);
    const { stdout } = await run('info', location);
    await gateway.close();
    expect(info.objects).to.deep.equal({
      packfile: { objects: 2, bytes: 200_000 },
      state: { objects: 3, bytes: 10_148 },
    });
    expect(info).not.to.have.any.keys('trash', 'unfinished', 'digests');
    expect(stdout).to.match(/trash +not told here\n/);
  });

  it('is not confused by a state that was cut off', async () => {
    const store = await UsedStore.create();
    await store.arrived('state', 'cut', '2026-01-01T00:00:00Z', 100);
    const { mac } = refOf('state', 'cut');
    const path = join(store.path, 'states', mac.slice(0, 2), mac);
    await writeFile(path, 'KLO');
    await utimes(path, new Date('2026-01-02'), new Date('2026-01-02'));
    expect(await runJson<Info>('info', store.path)).to.deep.include({
      objects: { packfile: { objects: 0, bytes: 0 }, state: { objects: 1, bytes: 3 } },
      lastArrival: '2026-01-02T00:00:00.000Z',
    });
  });
});
