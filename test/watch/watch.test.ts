import { expect } from 'chai';
import { Registry } from 'prom-client';
import type { AuditEntry } from '../../src/core/audit.js';
import type { ObjectKind } from '../../src/core/object.js';
import type { Settings } from '../../src/config/config.js';
import type { Ping, WatchEvent } from '../../src/core/event.js';
import type { StoreReport } from '../../src/watch/store-report.js';
import { Watch, type WatchOptions } from '../../src/watch/watch.js';
import { hash } from '../support/config.js';
import { silent, testConfig } from '../support/gateway.js';
import { eventually } from '../support/store.js';
import { tempFolder } from '../support/temp.js';

const MiB = 1024 ** 2;
const noTraffic = { requests: 0, received: 0, sent: 0 };

const settings: Settings = {
  stores: { blue: { location: '/srv/blue', quota: '100MiB' }, red: { location: '/srv/red' } },
  principals: {
    'web-1': { tokens: [hash('1')], access: { blue: 'append', red: 'full' } },
    'web-2': { tokens: [hash('2')], access: { blue: 'append' } },
  },
};

const expecting = (time: string): Settings => ({
  ...settings,
  principals: {
    ...settings.principals,
    'web-1': { tokens: [hash('1')], access: { blue: 'append' }, 'expect-backup': { blue: time } },
  },
});

describe('Watch', () => {
  let watch: Watch;
  let registry: Registry;
  let events: WatchEvent[];
  let pings: Ping[];

  async function open(given: Settings = settings, options: Partial<WatchOptions> = {}): Promise<void> {
    registry = new Registry();
    events = [];
    pings = [];
    const notifications = {
      notify: (event: WatchEvent) => void events.push(event),
      ping: (ping: Ping) => void pings.push(ping),
      pending: 0,
    };
    watch = await Watch.open({ config: testConfig(given), log: silent, registry, notifications, ...options });
  }

  afterEach(() => watch.close());

  const entry = (
    operation: 'put' | 'delete',
    kind: ObjectKind,
    mac: string,
    more: Partial<AuditEntry> = {},
  ): AuditEntry => ({
    time: new Date().toISOString(),
    principal: 'web-1',
    address: '192.0.2.1',
    listener: 'lan',
    store: 'blue',
    operation,
    kind,
    mac,
    outcome: operation === 'delete' ? 'deleted' : kind === 'lock' ? 'stored' : 'created',
    ...more,
  });

  const backup = (bytes: number, more: Partial<AuditEntry> = {}): AuditEntry[] => [
    entry('put', 'lock', 'a', more),
    entry('put', 'packfile', 'p', { bytes, ...more }),
    entry('put', 'state', 'a', { bytes: 0, ...more }),
    entry('delete', 'lock', 'a', more),
  ];

  const observe = (entries: readonly AuditEntry[]): void =>
    watch.observe({ activity: { entries, reads: [], traffic: noTraffic } });

  const told = (): string[] => events.splice(0).map(({ event, text }) => `${event}: ${text}`);

  const machine = (principal: string, store: string) =>
    watch.status().machines.find((each) => each.principal === principal && each.store === store);

  const report = (more: Partial<StoreReport> = {}): void =>
    watch.observe({ reports: [{ store: 'blue', timeMs: Date.now(), ...more }] });

  it('shows and counts the last backup of each machine, and pings at its start and end', async () => {
    await open();
    observe([...backup(2000), ...backup(300, { principal: 'web-2' })]);
    expect(machine('web-1', 'blue')?.lastBackup).to.include({ newBytes: 2000, address: '192.0.2.1' });
    expect(machine('web-1', 'blue')?.days.at(-1)).to.deep.equal({ completed: 1, failed: 0 });
    const text = await registry.metrics();
    expect(text).to.include('kloset_gateway_last_backup_new_bytes{store="blue",principal="web-1"} 2000');
    expect(text).to.include('kloset_gateway_last_backup_new_bytes{store="blue",principal="web-2"} 300');
    expect(text).to.include(
      'kloset_gateway_sessions_total{store="blue",principal="web-1",kind="backup",outcome="completed"} 1',
    );
    const [seconds] =
      /last_backup_timestamp_seconds\{store="blue",principal="web-1"\} (\d+)/.exec(text)?.slice(1) ?? [];
    expect(Date.now() / 1000 - Number(seconds)).to.be.within(-1, 60);
    expect(pings.map(({ principal, signal }) => `${principal} ${signal}`)).to.deep.equal([
      'web-1 start',
      'web-1 success',
      'web-2 start',
      'web-2 success',
    ]);
    expect(told()).to.deep.equal([]);
  });

  it('tells that a machine is overdue, once, and when it is back', async () => {
    await open(expecting('1s'));
    expect(machine('web-1', 'blue')).to.include({ isOverdue: false, expectedMs: 1000 });
    await eventually(async () => events.length > 0, 'an event');
    expect(machine('web-1', 'blue')?.isOverdue).to.equal(true);
    expect(await registry.metrics()).to.include('kloset_gateway_backup_overdue{store="blue",principal="web-1"} 1');
    expect(events[0]).to.include({ store: 'blue', principal: 'web-1' });
    expect(told()).to.deep.equal(['overdue: web-1 has not backed up into blue yet (expected at least every 1 s).']);
    watch.configure(testConfig(expecting('1h')));
    observe(backup(1));
    expect(told()).to.deep.equal(['back-on-time: web-1 has backed up into blue again.']);
    expect(machine('web-1', 'blue')?.isOverdue).to.equal(false);
    const isReset = async () => (await registry.metrics()).includes('backup_overdue{store="blue",principal="web-1"} 0');
    await eventually(isReset, 'the metric is reset');
  });

  it('knows after a restart who backed up when, who is overdue, and whom people were told of', async () => {
    const given = { ...expecting('1s'), 'state-dir': await tempFolder() };
    await open(given);
    observe(backup(700, { principal: 'web-2' }));
    await eventually(async () => events.length > 0, 'an event');
    await watch.close();
    await open(given);
    expect(machine('web-2', 'blue')?.lastBackup).to.include({ newBytes: 700 });
    expect(machine('web-1', 'blue')?.isOverdue).to.equal(true);
    observe(backup(1));
    expect(told().map((each) => each.split(':')[0])).to.deep.equal(['back-on-time']);
  });

  it("counts from the store's newest state where there is no history", async () => {
    await open(expecting('1h'));
    const newestStateMs = Date.now() - 3_500_000;
    report({ size: { packfiles: 1, states: 1, bytes: 10 }, newestStateMs });
    expect(machine('web-1', 'blue')?.dueMs).to.equal(newestStateMs + 3_600_000);
  });

  it('forgets an expectation that is removed from the configuration', async () => {
    await open(expecting('1s'));
    await eventually(async () => events.length > 0, 'an event');
    watch.configure(testConfig(settings));
    expect(machine('web-1', 'blue')).to.equal(undefined);
    expect(await registry.metrics()).not.to.include('backup_overdue{');
  });

  it('tells of a failed backup, of the next one only after a good one or an hour', async () => {
    await open();
    const failing = () => [entry('put', 'lock', 'a'), entry('put', 'packfile', 'p'), entry('delete', 'lock', 'a')];
    observe([...failing(), ...failing()]);
    expect(told()).to.deep.equal(['backup-failed: The backup of web-1 into blue failed: it ended without a state.']);
    expect(machine('web-1', 'blue')?.lastFailure).to.include({ reason: 'it ended without a state' });
    observe([...backup(1), ...failing()]);
    expect(told()).to.have.length(1);
    expect(pings.filter(({ signal }) => signal === 'fail')).to.have.length(3);
  });

  it('knows of mirrors and of damage, and tells of reads from a mirror once an hour, and of damage each time', async () => {
    const blue = { location: '/srv/blue', mirror: { to: '/srv/mirror' }, verify: {} };
    await open({ stores: { blue, red: { location: '/srv/red' } } });
    const read = { store: 'blue', kind: 'packfile', mac: '12', loss: 'is missing' } as const;
    watch.observe({ mirrorReads: [read, { ...read, mac: '34' }] });
    const completeAsOfMs = Date.now();
    const missing = { objects: 2, bytes: 300 };
    watch.observe({
      mirrors: [{ store: 'blue', completeAsOfMs, lastSuccessMs: completeAsOfMs, missing, outcome: 'completed' }],
    });
    const verification = { store: 'blue', checked: { objects: 7, bytes: 70 }, planned: 10, damaged: 1 };
    for (const found of [['one is damaged'], ['another one is']])
      watch.observe({ verifications: [{ ...verification, found }] });
    watch.observe({
      mirrors: [{ store: 'blue', missing, outcome: 'failed', damaged: ['state 56: 100 bytes', 'state 78: 90 bytes'] }],
    });
    expect(told()).to.deep.equal([
      'read-from-mirror: Packfile 12 of blue is missing, and was read from the mirror; kloset-gateway verify finds out what else is damaged.',
      'damage-found: One is damaged.',
      'damage-found: Another one is.',
    ]);
    const { mirror, verification: objects } = watch.status().stores.find(({ name }) => name === 'blue') ?? {};
    expect(mirror).to.include({ direction: 'to', isBehind: false, missingObjects: 2, missingBytes: 300 });
    expect(objects).to.deep.equal({ checkedObjects: 7, checkedBytes: 70, plannedObjects: 10, damagedObjects: 1 });
    const text = await registry.metrics();
    expect(text).to.match(/^kloset_gateway_mirror_lag_seconds\{store="blue"\} [\d.]+$/m);
    expect(text).to.include('kloset_gateway_mirror_runs_total{store="blue",outcome="failed"} 1');
    expect(text).to.include('kloset_gateway_verify_damaged_objects{store="blue"} 1');
    expect(text).to.not.match(/mirror_\w+\{store="red"/);
  });

  it('tells of removals, of deletes, and of deletes that were refused', async () => {
    await open(settings, { times: { staleMs: 600_000, settledMs: 600_000, idleMs: 100 } });
    const refused = { outcome: 'refused', code: 'permission_denied', reason: 'not allowed' } as const;
    observe([
      entry('put', 'state', 's'),
      entry('put', 'lock', 'm', { store: 'red' }),
      entry('delete', 'packfile', 'p', { store: 'red' }),
      entry('delete', 'state', 's', { store: 'red' }),
      entry('delete', 'lock', 'm', { store: 'red' }),
      entry('delete', 'packfile', 'p', { principal: 'web-2', ...refused }),
      entry('delete', 'packfile', 'q', { principal: 'web-2', ...refused }),
    ]);
    await eventually(async () => events.length === 3, 'three events');
    expect(told()).to.have.members([
      'removal: web-1 removed a snapshot of blue.',
      'deletion: web-1 deleted 2 objects of red.',
      'delete-refused: web-2 tried to delete a packfile of blue, and was refused.',
    ]);
    expect(watch.status().refusals).to.have.length(1);
    const text = await registry.metrics();
    expect(text).to.include('kloset_gateway_refusals_total{store="blue",code="permission_denied"} 2');
    expect(text).to.include('kloset_gateway_deleted_objects_total{store="red",principal="web-1"} 2');
  });

  it('says nothing of deletes that only the retention refuses, as to a maintenance', async () => {
    await open({
      ...settings,
      stores: { blue: { location: '/srv/blue' }, red: { location: '/srv/red', retention: '30d' } },
    });
    const refused = { outcome: 'refused', code: 'permission_denied', reason: 'it is kept' } as const;
    observe([entry('delete', 'packfile', 'p', { store: 'red', ...refused })]);
    expect(told()).to.deep.equal([]);
    observe([entry('delete', 'packfile', 'p', { store: 'red', principal: 'web-2', ...refused })]);
    expect(told()).to.have.length(1);
  });

  it('tells of a backup that is far from what the machine is used to', async () => {
    await open();
    for (let i = 0; i < 5; i++) observe(backup(5 * MiB));
    expect(told()).to.deep.equal([]);
    observe(backup(200 * MiB));
    expect(told()).to.deep.equal([
      'unusual-backup: web-1 backed up 200 MiB of new data into blue, unusually much: its last 5 backups added 5.0 MiB to 5.0 MiB.',
    ]);
    observe(backup(100));
    expect(told()).to.have.length(1);
  });

  it('goes on after a restart with a backup that was under way', async () => {
    const given = { ...settings, 'state-dir': await tempFolder() };
    const [lock, packfile, state, unlock] = backup(900) as [AuditEntry, AuditEntry, AuditEntry, AuditEntry];
    await open(given);
    observe([lock, packfile]);
    await watch.close();
    await open(given);
    expect(watch.status().openSessions).to.have.length(1);
    observe([state, unlock]);
    expect(machine('web-1', 'blue')?.lastBackup).to.include({ newBytes: 900 });
    expect(told()).to.deep.equal([]);
    await watch.close();
    await open(given);
    expect(watch.status().openSessions).to.deep.equal([]);
  });

  it('says nothing of a backup that was killed when a newer one has completed since', async () => {
    await open(settings, { times: { staleMs: 500, settledMs: 500, idleMs: 100 } });
    observe([entry('put', 'lock', 'x'), entry('put', 'packfile', 'q')]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    observe(backup(10));
    await eventually(async () => watch.status().sessions.length === 2, 'both have ended');
    expect(told()).to.deep.equal([]);
    expect(pings.map(({ signal }) => signal)).to.deep.equal(['start', 'start', 'success']);
    expect(machine('web-1', 'blue')).not.to.have.property('lastFailure');
  });

  it('tells of states under a lock without a backup, which may hide snapshots', async () => {
    await open();
    observe([entry('put', 'lock', 'm'), entry('put', 'state', 't'), entry('delete', 'lock', 'm')]);
    expect(told()).to.deep.equal([
      'removal: web-1 put states into blue without a backup: maintenance, or a removal of snapshots.',
    ]);
  });

  it('keeps no name of a store that is not there, however many callers ask for, and few refusals of each caller', async () => {
    await open();
    const { kind, mac, ...about } = entry('put', 'lock', 'x');
    expect([kind, mac]).to.deep.equal(['lock', 'x']);
    const refused = { operation: 'open', outcome: 'refused', code: 'unauthenticated', principal: 'anonymous' } as const;
    observe(Array.from({ length: 1000 }, (_, i) => ({ ...about, ...refused, store: `flood-${i}` })));
    const text = await registry.metrics();
    expect(text).to.include('kloset_gateway_refusals_total{store="(unknown)",code="unauthenticated"} 1000');
    expect(text).not.to.include('flood');
    expect(watch.status().refusals).to.have.length(1);
  });

  it('forgets machines that are no longer configured', async () => {
    await open();
    observe(backup(10));
    watch.configure(testConfig({ ...settings, principals: { 'web-2': { tokens: [hash('2')] } } }));
    expect(watch.status().machines).to.deep.equal([]);
    expect(await registry.metrics()).not.to.include('last_backup_new_bytes{');
  });

  it('counts failed logins, which are no refusals of a store', async () => {
    await open();
    const login = {
      principal: 'anonymous',
      store: '',
      operation: 'login',
      outcome: 'refused',
      code: 'unauthenticated',
    } as const;
    const { kind, mac, ...about } = entry('put', 'lock', 'x');
    expect([kind, mac]).to.deep.equal(['lock', 'x']);
    observe([{ ...about, ...login }]);
    expect(await registry.metrics()).to.match(/kloset_gateway_login_failures_total 1\n/);
  });

  it('shows the size of stores as they were counted and what came since, and their health', async () => {
    await open();
    report({ locks: 2, oldestLockMs: 1000, freeBytes: 5000, size: { packfiles: 7, states: 3, bytes: 1000 } });
    observe(backup(500));
    const [blue] = watch.status().stores;
    expect(blue).to.include({ name: 'blue', isReachable: true, objects: 12, bytes: 1500, freeBytes: 5000, locks: 2 });
    expect(blue?.addedBytes.at(-1)).to.equal(500);
    expect(told().map((each) => each.split(':')[0])).to.deep.equal(['disk-nearly-full']);
    report({ problem: 'it does not answer' });
    report({ problem: 'it does not answer' });
    expect(events[0]).to.include({ event: 'store-unreachable', store: 'blue' });
    const text = await registry.metrics();
    expect(text).to.include('kloset_gateway_store_up{store="blue"} 0');
    expect(text).not.to.include('kloset_gateway_store_up{store="red"}');
    expect(text).to.include('kloset_gateway_store_quota_bytes{store="blue"} 104857600');
  });

  it('tells of a certificate that expires within two weeks', async () => {
    await open();
    watch.observe({ certificateExpiresMs: Date.now() + 5.5 * 86_400_000 });
    await eventually(async () => events.length > 0, 'an event');
    expect(told()).to.deep.equal(['certificate-expiring: The TLS certificate expires in 5 d.']);
  });

  it('brings the operations of several processes into the order of their times', async () => {
    await open(settings, { holdBackMs: 300 });
    const at = (ms: number) => ({ time: new Date(Date.now() + ms).toISOString() });
    const [lock, packfile, state, unlock] = [-40, -30, -20, -10].map(at);
    observe([entry('put', 'lock', 'a', lock), entry('put', 'state', 'a', state), entry('delete', 'lock', 'a', unlock)]);
    observe([entry('put', 'packfile', 'p', { ...packfile, bytes: 10 })]);
    await eventually(async () => watch.status().sessions.length > 0, 'a session');
    expect(watch.status().sessions.map(({ kind, outcome }) => `${kind} ${outcome}`)).to.deep.equal([
      'backup completed',
    ]);
  });

  it('has metrics that Prometheus accepts, also of names with quotes', async () => {
    await open({ ...settings, principals: { 'we"b\\1': { tokens: [hash('1')], access: { blue: 'append' } } } });
    observe(backup(1, { principal: 'we"b\\1' }));
    expect(await registry.metrics()).to.include('principal="we\\"b\\\\1"} 1');
  });
});
