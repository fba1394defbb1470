import { expect } from 'chai';
import { readFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { tokenDigest } from '../../../src/auth/tokens.js';
import { FileStore } from '../../../src/backends/files/file-store.js';
import { objectPath } from '../../../src/backends/files/layout.js';
import { LocalFileSystem } from '../../../src/backends/local/local-file-system.js';
import { GatewayClient } from '../../../src/client/index.js';
import type { Settings } from '../../../src/config/config.js';
import { accessLevels } from '../../../src/core/access.js';
import type { AuditEntry } from '../../../src/core/audit.js';
import { ifPresent } from '../../../src/core/errors.js';
import { objectKinds, type ObjectKind, type ObjectRef } from '../../../src/core/object.js';
import type { Store } from '../../../src/core/store.js';
import type { TrashedObject } from '../../../src/core/trash.js';
import { host, startTestGateway, testConfig, type TestGateway } from '../../support/gateway.js';
import { GrpcStore } from '../../support/grpc-store.js';
import { HttpStore } from '../../support/http-store.js';
import { HttpV10Store } from '../../support/http-v1.0-store.js';
import { makeObject, newRef } from '../../support/objects.js';
import { ctx, eventually, expectFailure, getAll, putAll } from '../../support/store.js';
import { emptyStore, tempFolder } from '../../support/temp.js';

const dayMs = 86_400_000;

/** Callers by their access to every store. */
const principals = Object.fromEntries(
  accessLevels.map((level) => [level, { tokens: [`sha256:${tokenDigest(level)}`], access: { '*': level } }]),
);

describe('A gateway whose store has retention and a trash', () => {
  let folder: string;
  let audit: string;
  let files: FileStore;
  let gateway: TestGateway;

  const settings = (changes: NonNullable<Settings['stores']>[string] | object = {}): Settings => ({
    'min-free-space': 0,
    'audit-log': audit,
    'admin-listen': ['127.0.0.1:0'],
    'admin-token': `sha256:${tokenDigest('admin')}`,
    principals,
    stores: { blue: { location: folder, retention: '30d', trash: '14d', ...changes } },
  });

  beforeEach(async () => {
    folder = await emptyStore();
    audit = join(await tempFolder(), 'audit.log');
    files = await FileStore.open(new LocalFileSystem(folder), { durable: false, maxObjectBytes: 1e6, host });
    // There is a backup each hour.
    await had('state', 1 / 24);
    gateway = await startTestGateway(undefined, settings());
  });

  afterEach(async () => {
    await gateway.close();
    await files.close();
  });

  const clients: Record<string, (level: string) => Store> = {
    'HTTP 1.1': (level) => new HttpStore(gateway.httpPort, { store: 'blue', authorization: `Bearer ${level}` }),
    'HTTP 1.0': (level) => new HttpV10Store(gateway.httpPort, { store: 'blue', authorization: `Bearer ${level}` }),
    gRPC: (level) => new GrpcStore(gateway.grpcPort, { store: 'blue', authorization: `Bearer ${level}` }),
  };

  /** An object that arrived so many days ago. */
  async function had(kind: ObjectKind, days: number): Promise<ObjectRef> {
    const ref = newRef(kind);
    await putAll(files, ref, makeObject(kind, 100, ref.mac));
    const arrived = (Date.now() - days * dayMs) / 1000;
    await utimes(join(folder, objectPath(ref)), arrived, arrived);
    return ref;
  }

  async function trashed(): Promise<TrashedObject[]> {
    const objects: TrashedObject[] = [];
    for await (const object of files.trash.list()) objects.push(object);
    return objects;
  }

  async function entries(): Promise<AuditEntry[]> {
    const lines = (await readFile(audit, 'utf8')).trim().split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as AuditEntry);
  }

  for (const [protocol, client] of Object.entries(clients)) {
    it(`deletes over ${protocol} just what is old enough, into the trash, for whoever may delete, and keeps all bytes`, async () => {
      for (const level of accessLevels) {
        const store = client(level);
        for (const kind of objectKinds) {
          for (const days of [0, 29, 31]) {
            const ref = await had(kind, days);
            const what = `${level}, ${kind}, ${days} days`;
            const mayDelete = kind === 'lock' ? ['write-only', 'append', 'full'].includes(level) : level === 'full';
            const goes = mayDelete && (kind === 'lock' || days > 30);
            if (goes) await store.delete(ref, ctx);
            else {
              const { message } = await expectFailure(store.delete(ref, ctx), 'permission_denied');
              if (mayDelete)
                expect(message, what).to.match(
                  /^this (packfile|state) is kept until \d{4}-\d\d-\d\dT\d\d:\d\dZ: this store's retention is 30d$/,
                );
            }
            const bytes = makeObject(kind, 100, ref.mac);
            const there = await ifPresent(getAll(files, ref));
            expect(there, what).to.deep.equal(goes ? undefined : bytes);
            const inTrash = (await trashed()).find((object) => object.ref.mac === ref.mac);
            expect(inTrash !== undefined, what).to.equal(goes && kind !== 'lock');
            if (inTrash !== undefined) {
              const { data } = await files.trash.get(inTrash, undefined);
              expect(data, what).to.deep.equal(bytes);
            }
          }
        }
        await store.close();
      }
    });
  }

  it('tells clients its times, also those of a gateway in front of it', async () => {
    const front = await startTestGateway(`grpc://127.0.0.1:${gateway.grpcPort}/blue`).catch((error: unknown) => error);
    // The store needs a login, which the other gateway doesn't have.
    expect(front).to.be.instanceOf(Error);
    const open = await startTestGateway(folder, {
      retention: '30d',
      trash: '14d',
      'allow-delete': true,
      'min-free-space': 0,
    });
    const chained = await startTestGateway(`grpc://127.0.0.1:${open.grpcPort}`, { 'allow-delete': true });
    const client = new GatewayClient({ address: `127.0.0.1:${chained.grpcPort}` });
    try {
      expect(await client.describe()).to.include({ retentionMs: 30 * dayMs, trashMs: 14 * dayMs });
      const [young, old] = [await had('state', 1), await had('state', 31)];
      const { message } = await expectFailure(client.delete(young), 'permission_denied');
      expect(message).to.include('retention is 30d');
      await client.delete(old);
      expect((await trashed()).map(({ ref }) => ref)).to.deep.equal([old]);
    } finally {
      client.close();
      await chained.close();
      await open.close();
    }
  });

  it('records and counts what goes into the trash and what is refused', async () => {
    const [young, old] = [await had('state', 1), await had('packfile', 31)];
    const store = new HttpStore(gateway.httpPort, { store: 'blue', authorization: 'Bearer full' });
    await store.delete(old, ctx);
    await expectFailure(store.delete(young, ctx), 'permission_denied');
    await store.close();
    const [address] = gateway.gateway.admin;
    const port = address !== undefined && 'port' in address ? address.port : NaN;
    const wanted = [
      'kloset_gateway_trashed_objects_total{store="blue"} 1',
      'kloset_gateway_retention_refusals_total{store="blue"} 1',
    ];
    await eventually(async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { authorization: 'Bearer admin' } });
      const text = await answer.text();
      return wanted.every((line) => text.includes(line));
    }, 'the metrics have both');
    const lines = await eventually(async () => {
      const all = await entries();
      return all.length >= 2 && all;
    }, 'both are recorded');
    expect(lines[0]).to.include({ principal: 'full', operation: 'delete', ...old, outcome: 'trashed' });
    expect(lines[1]).to.include({ operation: 'delete', ...young, outcome: 'refused', code: 'permission_denied' });
    expect(lines[1]?.reason).to.include("this store's retention is 30d");
  });

  it('applies other times at a reload, and makes known which were shortened', async () => {
    const young = await had('state', 8);
    const store = new HttpStore(gateway.httpPort, { store: 'blue', authorization: 'Bearer full' });
    await expectFailure(store.delete(young, ctx), 'permission_denied');
    await gateway.gateway.reload(testConfig(settings({ retention: '31d' })));
    await expectFailure(store.delete(young, ctx), 'permission_denied');
    await gateway.gateway.reload(testConfig(settings({ retention: '7d', trash: 0 })));
    await store.delete(young, ctx);
    await store.close();
    expect(await trashed()).to.deep.equal([]);
    const reasons = ['retention of blue was shortened from 31d to 7d', 'trash of blue was shortened from 14d to 0'];
    const warnings = gateway.log.filter(({ level }) => level === 'warn').map(({ message }) => message);
    expect(warnings).to.include.members(reasons);
    const own = await eventually(async () => {
      const all = (await entries()).filter(({ operation }) => operation === 'retention');
      return all.length >= 2 && all;
    }, 'both are recorded');
    expect(own.map(({ reason }) => reason)).to.deep.equal(reasons);
    expect(own[0]).to.include({ principal: 'kloset-gateway', store: 'blue', outcome: 'stored', address: '' });
  });

  it('deletes nothing from a store with states of the future, until the operator trusts the clock', async () => {
    const old = await had('packfile', 31);
    await had('state', -2);
    const store = new HttpStore(gateway.httpPort, { store: 'blue', authorization: 'Bearer full' });
    const { message } = await expectFailure(store.delete(old, ctx), 'permission_denied');
    expect(message).to.include("the gateway's clock seems wrong").and.to.include('trust-clock');
    await gateway.gateway.reload(testConfig({ ...settings(), 'trust-clock': true }));
    await store.delete(old, ctx);
    await store.close();
    expect((await trashed()).map(({ ref }) => ref)).to.deep.equal([old]);
    await gateway.gateway.reload(testConfig({ ...settings({ trash: '15d' }), 'trust-clock': true }));
    const reasonsOf = async () =>
      (await entries()).filter(({ operation }) => operation === 'retention').map(({ reason }) => reason);
    expect(await eventually(async () => (await reasonsOf()).length > 0 && reasonsOf(), 'it is recorded'))
      .to.have.length(1)
      .and.to.have.nested.property('0')
      .that.includes('trust-clock is on');
  });

  it('records at a start that the operator trusts the clock', async () => {
    const other = await startTestGateway(undefined, { ...settings(), 'trust-clock': true });
    await other.close();
    const [first, ...others] = await entries();
    expect(first).to.include({ principal: 'kloset-gateway', operation: 'retention', store: 'blue', outcome: 'stored' });
    expect(others).to.deep.equal([]);
  });
});
