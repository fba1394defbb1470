import { expect } from 'chai';
import { join } from 'node:path';
import { LocalFileSystem } from '../../src/backends/local/local-file-system.js';
import { FileStore } from '../../src/backends/files/file-store.js';
import type { UndoCommand } from '../../src/cli/command-types.js';
import { parseCommandLine } from '../../src/cli/parse.js';
import { Progress } from '../../src/cli/progress.js';
import { restoreStates } from '../../src/cli/restore-states.js';
import type { Subject } from '../../src/cli/store-command.js';
import { StoreError } from '../../src/core/errors.js';
import type { Trash } from '../../src/core/trash.js';
import { host, startTestGateway } from '../support/gateway.js';
import { HttpStore } from '../support/http-store.js';
import { hasSshd, Sshd } from '../support/sshd.js';
import { ctx, listAll } from '../support/store.js';
import { refOf, run, runJson, storeWithRemoval, UsedStore } from './support/undo.js';

const names = ['A', 'B', 'C', 'removal'];
const beforeRemoval = ['--as-of', '2026-01-10T11:59:59Z'];

interface Plan {
  readonly applied: boolean;
  readonly locks: number;
  readonly restore: readonly { kind: string; mac: string; bytes: number; arrived: string; deleted: string }[];
  readonly discard: readonly { mac: string; looksLikeRemoval: boolean }[];
}

describe('restore-states', () => {
  it('shows what differs from a moment, and changes nothing', async () => {
    const store = await storeWithRemoval();
    const before = await store.files();
    const { exitCode, stdout, stderr } = await run('restore-states', store.path, ...beforeRemoval);
    expect({ exitCode, stderr }).to.deep.equal({
      exitCode: 0,
      stderr: 'Nothing was changed: add --apply to do it.\n',
    });
    expect(stdout.split('\n').map((line) => line.replaceAll(/ {2,}/g, ' | '))).to.deep.equal([
      `${store.path} as of 2026-01-10T11:59:59Z:`,
      'Deleted since then, and have to be brought back: 1 packfile, 97.7 KiB, and 1 state, 4.88 KiB',
      'Arrived since then, and have to be moved to the trash: 2 states, 5.03 KiB',
      ` | 2026-01-10T12:00:00Z | 148 B | ${refOf('state', 'removal').mac} | looks like a removal`,
      ` | 2026-01-15T03:00:02Z | 4.88 KiB | ${refOf('state', 'C').mac}`,
      '',
    ]);
    const plan = await runJson<Plan>('restore-states', store.path, ...beforeRemoval);
    expect(plan).to.deep.include({ applied: false, locks: 0 });
    expect(plan.restore).to.deep.equal([
      {
        kind: 'packfile',
        mac: refOf('packfile', 'A').mac,
        bytes: 100_000,
        arrived: '2026-01-01T03:00:00.000Z',
        deleted: '2026-01-20T12:00:02.000Z',
      },
      {
        kind: 'state',
        mac: refOf('state', 'A').mac,
        bytes: 5000,
        arrived: '2026-01-01T03:00:02.000Z',
        deleted: '2026-01-20T12:00:01.000Z',
      },
    ]);
    expect(plan.discard.map(({ looksLikeRemoval }) => looksLikeRemoval)).to.deep.equal([true, false]);
    expect(await store.files()).to.deep.equal(before);
  });

  it('does it when told, beside a running gateway, once, and says how to take it back', async () => {
    const store = await storeWithRemoval();
    const gateway = await startTestGateway(store.path);
    const client = new HttpStore(gateway.httpPort);
    try {
      expect(await listAll(client, 'state')).to.have.members(macsOf('state', 'B', 'C', 'removal'));
      const { exitCode, stdout } = await run('restore-states', store.path, ...beforeRemoval, '--apply');
      expect(exitCode).to.equal(0);
      expect(stdout).to.include('remove ~/.cache/plakar');
      expect(await listAll(client, 'state')).to.have.members(macsOf('state', 'A', 'B'));
      expect(await listAll(client, 'packfile')).to.have.members(macsOf('packfile', 'A', 'B', 'C'));
      const again = await run('restore-states', store.path, ...beforeRemoval, '--apply');
      expect(again.stdout).to.match(/is as it was at 2026-01-10T11:59:59Z: nothing to do\n$/);
      const back = /kloset-gateway (trash restore .*)\n/.exec(stdout)?.[1] ?? '';
      expect(await run(...back.split(' '))).to.include({ exitCode: 0 });
      expect(await listAll(client, 'state')).to.have.members(macsOf('state', ...names));
    } finally {
      await client.close();
      await gateway.close();
    }
  });

  it('names the states that it moved away, or when it did where they are many, so that nothing else comes back with them', async () => {
    for (const count of [2, 11]) {
      const store = await storeWithRemoval();
      await store.deleted('packfile', 'C', new Date(Date.now() - 3000).toISOString());
      const later = Array.from({ length: count }, (_, i) => `later ${i}`);
      for (const name of later) await store.arrived('state', name, '2026-01-25T00:00:00Z');
      const { stdout } = await run('restore-states', store.path, '--as-of', '2026-01-21', '--apply');
      const back = /kloset-gateway (trash restore .*)\n/.exec(stdout)?.[1] ?? '';
      expect(back).to.include(count > 10 ? ' --until ' : ` --mac ${refOf('state', 'later 1').mac}`);
      expect(await store.namesOf('packfile', 'C')).to.deep.equal(['C']);
      await store.deleted('packfile', 'C', new Date(Date.now() - 3600_000).toISOString());
      await store.deleted('packfile', 'B', new Date(Date.now() + 3600_000).toISOString());
      expect(await run(...back.split(' '))).to.include({ exitCode: 0 });
      expect(await store.namesOf('state', ...later)).to.deep.equal(later);
      expect(await store.namesOf('packfile', 'B', 'C')).to.be.empty;
    }
  });

  it('keeps bytes and times of arrival, so that other moments can be gone back to', async () => {
    const store = await storeWithRemoval();
    const untouched = await UsedStore.create();
    await untouched.arrived('packfile', 'A', '2026-01-01T03:00:00Z', 100_000);
    await untouched.arrived('state', 'A', '2026-01-01T03:00:02Z', 5000);
    await run('restore-states', store.path, '--as-of', '2026-01-19', '--apply');
    expect(await store.namesOf('state', ...names)).to.deep.equal(names);
    await run('restore-states', store.path, '--as-of', '2026-01-02', '--apply');
    expect(await store.namesOf('state', ...names)).to.deep.equal(['A']);
    const { CONFIG, ...objects } = await untouched.files();
    expect(await store.files()).to.include(objects);
    expect(CONFIG).to.be.a('string');
  });

  it('brings back what was deleted and replaced by other bytes of the same name', async () => {
    const store = await UsedStore.create();
    for (const kind of ['packfile', 'state'] as const) await store.arrived(kind, 'A', '2026-01-01T00:00:00Z');
    const before = await store.files();
    for (const kind of ['packfile', 'state'] as const) {
      await store.deleted(kind, 'A', '2026-01-03T00:00:00Z');
      await store.arrived(kind, 'A', '2026-01-03T00:00:01Z', 1000, 'garbage');
    }
    await run('restore-states', store.path, '--as-of', '2026-01-02', '--apply');
    expect(await store.files()).to.include(before);
    expect((await runJson<Plan>('restore-states', store.path, '--as-of', '2026-01-02')).restore).to.be.empty;
  });

  it('can be interrupted at any step: each state has its packfiles, and a second run does the rest', async () => {
    for (let steps = 0; ; steps++) {
      const store = await UsedStore.create();
      for (const name of ['A', 'B']) {
        await store.arrived('packfile', name, '2026-01-01T00:00:00Z');
        await store.arrived('state', name, '2026-01-01T00:00:02Z');
      }
      for (const name of ['A', 'B']) {
        await store.deleted('state', name, '2026-01-03T00:00:01Z');
        await store.deleted('packfile', name, '2026-01-03T00:00:01Z');
      }
      // One was replaced, and three came later.
      await store.arrived('packfile', 'B', '2026-01-03T00:00:02Z', 1000, 'garbage');
      await store.arrived('state', 'keep', '2026-01-01T00:00:00Z');
      for (const day of [4, 5, 6]) await store.arrived('state', `${day}`, `2026-01-0${day}T00:00:00Z`);
      const isWhole = await stoppedAfter(steps, store.path);
      for (const name of await store.namesOf('state', 'A', 'B'))
        expect(await store.namesOf('packfile', name), `after ${steps}`).to.deep.equal([name]);
      expect(await store.namesOf('state', 'keep')).to.have.length(1);
      await run('restore-states', store.path, '--as-of', '2026-01-02', '--apply');
      expect(await store.namesOf('state', 'A', 'B', 'keep', '4', '5', '6')).to.deep.equal(['A', 'B', 'keep']);
      expect(await store.namesOf('packfile', 'A', 'B')).to.deep.equal(['A', 'B']);
      if (isWhole) break;
    }
  });

  it('refuses while clients work with the store, unless told otherwise', async () => {
    const store = await storeWithRemoval();
    await store.arrived('lock', 'stale', '2026-01-15T00:00:00Z', 124);
    expect((await runJson<Plan>('restore-states', store.path, ...beforeRemoval)).locks).to.equal(0);
    await store.arrived('lock', 'fresh', new Date().toISOString(), 124);
    const before = await store.files();
    const shown = await run('restore-states', store.path, ...beforeRemoval);
    expect(shown.stderr).to.match(
      /^warning: clients seem to be working with the store: 1 lock is less than 10 minutes/,
    );
    const refused = await run('restore-states', store.path, ...beforeRemoval, '--apply');
    expect(refused).to.include({ exitCode: 1, stdout: '' });
    expect(refused.stderr).to.include('--despite-locks');
    expect(await store.files()).to.deep.equal(before);
    expect(await run('restore-states', store.path, ...beforeRemoval, '--apply', '--despite-locks')).to.include({
      exitCode: 0,
    });
    expect(await store.namesOf('state', ...names)).to.deep.equal(['A', 'B']);
  });

  it('refuses a moment before the first state, one to come, and none', async () => {
    const store = await storeWithRemoval();
    const { exitCode, stderr } = await run('restore-states', store.path, '--as-of', '2025-12-01', '--apply');
    expect(exitCode).to.equal(1);
    expect(stderr).to.include('no state had arrived');
    for (const more of [['--as-of', '2999-01-01'], ['--as-of', 'yesterday'], []]) {
      const refused = await run('restore-states', store.path, ...more, '--apply');
      expect(refused.exitCode, more.join(' ')).to.equal(2);
      expect(refused.stderr).to.match(/^kloset-gateway: .*--as-of/);
    }
    expect(await store.namesOf('state', ...names)).to.deep.equal(['B', 'C', 'removal']);
  });

  it('works on a store behind SFTP', async function () {
    if (!hasSshd()) this.skip();
    const sshd = await Sshd.start();
    try {
      const store = await storeWithRemoval();
      const location = `sftp://${sshd.user}@127.0.0.1:${sshd.port}${store.path}`;
      const { folder } = sshd;
      const ssh = ['--ssh-identity', join(folder, 'identity'), '--ssh-known-hosts', join(folder, 'known_hosts')];
      const { exitCode, stderr } = await run(
        'restore-states',
        location,
        ...beforeRemoval,
        ...ssh,
        '--ssh-config=none',
        '--apply',
      );
      expect(exitCode, stderr).to.equal(0);
      expect(await store.namesOf('state', ...names)).to.deep.equal(['A', 'B']);
      expect(await store.namesOf('packfile', ...names)).to.deep.equal(['A', 'B', 'C']);
    } finally {
      await sshd.stop();
    }
  });
});

function macsOf(kind: 'packfile' | 'state', ...named: string[]): string[] {
  return named.map((name) => refOf(kind, name).mac);
}

/** Runs `restore-states --as-of 2026-01-02 --apply` until it has moved so many objects. Resolves to whether that was all. */
async function stoppedAfter(steps: number, path: string): Promise<boolean> {
  const options = { durable: false, maxObjectBytes: 1e6, host, trashes: true };
  const store = await FileStore.open(new LocalFileSystem(path), options);
  const command = parseCommandLine(['restore-states', path, '--as-of', '2026-01-02', '--apply']) as UndoCommand;
  const prepared = restoreStates(command, Date.now());
  if ('problems' in prepared) throw new Error(prepared.problems.join());
  let left = steps;
  const step = (): void => {
    if (left-- <= 0) throw new StoreError('unavailable', 'the disk is gone');
  };
  const trash: Trash = store.trash;
  const failing: Trash = {
    list: (each) => trash.list(each),
    stat: (...args) => trash.stat(...args),
    get: (...args) => trash.get(...args),
    remove: (object) => trash.remove(object),
    discard: async (ref) => {
      step();
      await trash.discard(ref);
    },
    restore: async (object) => {
      step();
      return trash.restore(object);
    },
  };
  const progress = new Progress(undefined);
  const print = async (): Promise<void> => undefined;
  const about = { title: path, nowMs: Date.now(), ctx, progress, print, call: () => '' };
  const subject: Subject = { store, trash: failing, ...about };
  try {
    await prepared(subject);
    return true;
  } catch (error) {
    expect(error).to.be.instanceOf(StoreError).with.property('code', 'unavailable');
    return false;
  } finally {
    await store.close();
  }
}
