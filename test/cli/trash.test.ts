import { expect } from 'chai';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { UndoCommand } from '../../src/cli/command-types.js';
import { parseCommandLine } from '../../src/cli/parse.js';
import { Progress } from '../../src/cli/progress.js';
import type { Subject } from '../../src/cli/store-command.js';
import { listTrash } from '../../src/cli/trash.js';
import type { ObjectRef } from '../../src/core/object.js';
import type { TrashedObject } from '../../src/core/trash.js';
import { startTestGateway } from '../support/gateway.js';
import { randomMacIn } from '../support/objects.js';
import { ctx } from '../support/store.js';
import { tempFolder } from '../support/temp.js';
import { refOf, run, runJson, storeWithRemoval } from './support/undo.js';

interface Listed {
  readonly objects: readonly { kind: string; mac: string; bytes: number; arrived: string; deleted: string }[];
  readonly applied?: boolean;
}

const packfile = refOf('packfile', 'A').mac;
const state = refOf('state', 'A').mac;

describe('trash list', () => {
  it('shows what was deleted, when, and when it had arrived', async () => {
    const { path } = await storeWithRemoval();
    const { exitCode, stdout, stderr } = await run('trash', 'list', path);
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: '' });
    expect(stdout.split('\n').map((line) => line.trim().replaceAll(/ {2,}/g, ' | '))).to.deep.equal([
      'deleted | kind | MAC | size | arrived',
      `2026-01-20T12:00:01Z | state | ${state} | 4.88 KiB | 2026-01-01T03:00:02Z`,
      `2026-01-20T12:00:02Z | packfile | ${packfile} | 97.7 KiB | 2026-01-01T03:00:00Z`,
      '',
      `in the trash of ${path}: 1 packfile, 97.7 KiB, and 1 state, 4.88 KiB`,
      '',
    ]);
    const since = await runJson<Listed>('trash', 'list', path, '--since', '2026-01-20T12:00:02Z');
    expect(since.objects).to.deep.equal([
      {
        kind: 'packfile',
        mac: packfile,
        bytes: 100_000,
        arrived: '2026-01-01T03:00:00.000Z',
        deleted: '2026-01-20T12:00:02.000Z',
      },
    ]);
    expect((await run('trash', 'list', path, '--since', '2026-01-21')).stdout).to.equal(
      `there is nothing in the trash of ${path}\n`,
    );
    expect((await runJson<Listed>('trash', 'list', path, '--since', '2026-01-21')).objects).to.be.empty;
  });

  it('prints a large trash as it is found, as one table and one document', async () => {
    const parts: string[] = [];
    const count = 10_000;
    const all = Array.from({ length: count }, (_, i): TrashedObject => {
      const ref: ObjectRef = { kind: i % 2 === 0 ? 'packfile' : 'state', mac: randomMacIn('aa') };
      return { ref, deletedMs: 1e12 + i, id: `${i}` };
    });
    let listed = 0;
    const trash = {
      list: async function* () {
        for (const each of all) yield (listed++, each);
      },
      stat: async ({ id }: TrashedObject) => ({ size: Number(id) * 1000, modifiedMs: 1 }),
    };
    const listedAt: number[] = [];
    const print = async (text: string): Promise<void> => {
      parts.push(text);
      listedAt.push(listed);
    };
    const subject = { trash, ctx, progress: new Progress(undefined), print, title: 'it' } as unknown as Subject;
    const list = async (...more: string[]): Promise<string> => {
      parts.length = listed = 0;
      const prepared = listTrash(parseCommandLine(['trash', 'list', 'x', ...more]) as UndoCommand, Date.now());
      if ('problems' in prepared) throw new Error(prepared.problems.join());
      const { stdout } = await prepared(subject);
      return parts.join('') + stdout;
    };
    const [titles = '', ...lines] = (await list()).split('\n');
    const rows = lines.slice(0, count);
    expect(listedAt[0]).to.be.below(count / 2);
    expect(rows.map((row) => row.indexOf('2001-')).every((at) => at === 2)).to.equal(true);
    expect(new Set(rows.map((row) => row.lastIndexOf('1970-')))).to.deep.equal(new Set([titles.indexOf('arrived')]));
    expect(lines.slice(count)[1]).to.match(/^in the trash of it: 5000 packfiles, .* and 5000 states, /);
    const { objects } = JSON.parse(await list('--json')) as Listed;
    expect(objects.map(({ mac }) => mac)).to.deep.equal(all.map(({ ref }) => ref.mac));
  });
});

describe('trash restore', () => {
  it('takes the time of the deletes, both ends included', async () => {
    const { path } = await storeWithRemoval();
    const until = async (moment: string): Promise<string[]> => {
      const times = ['--since', '2026-01-20T12:00:01Z', '--until', moment];
      return (await runJson<Listed>('trash', 'restore', path, ...times)).objects.map(({ mac }) => mac);
    };
    expect(await until('2026-01-20T12:00:01Z')).to.deep.equal([state]);
    expect(await until('2026-01-20T12:00:02Z')).to.deep.equal([packfile, state]);
    const { exitCode, stderr } = await run('trash', 'restore', path, '--until', '2026-01-21', '--all');
    expect({ exitCode, stderr }).to.deep.include({ exitCode: 2 });
    expect(stderr).to.include('--until needs --since');
  });

  it('brings back what is named, of a time, or everything, when told', async () => {
    for (const [chosen, packfiles, states] of [
      [['--mac', packfile.slice(0, 12).toUpperCase()], ['A'], []],
      [['--mac', packfile, '--mac', state], ['A'], ['A']],
      [['--since', '2026-01-20T12:00:02Z'], ['A'], []],
      [['--all'], ['A'], ['A']],
    ] as const) {
      const store = await storeWithRemoval();
      const before = await store.files();
      const shown = await run('trash', 'restore', store.path, ...chosen);
      expect(shown.exitCode, shown.stderr).to.equal(0);
      expect(shown.stderr).to.equal('Nothing was changed: add --apply to do it.\n');
      expect(await store.files()).to.deep.equal(before);
      const { exitCode, stdout } = await run('trash', 'restore', store.path, ...chosen, '--apply');
      expect(exitCode).to.equal(0);
      expect(stdout).to.match(/^brought back: 1 packfile, 97\.7 KiB/);
      expect(await store.namesOf('packfile', 'A')).to.deep.equal(packfiles);
      expect(await store.namesOf('state', 'A')).to.deep.equal(states);
    }
  });

  it('replaces nothing, and takes what was deleted last of several of one name', async () => {
    const store = await storeWithRemoval();
    await store.arrived('packfile', 'A', '2026-01-21T00:00:00Z', 300, 'newer');
    await store.deleted('packfile', 'A', '2026-01-22T00:00:00Z');
    await store.arrived('state', 'A', '2026-01-22T00:00:00Z', 300, 'other');
    const before = await store.files();
    const { stdout } = await run('trash', 'restore', store.path, '--all', '--apply');
    expect(stdout).to.equal(
      'brought back: 1 packfile, 300 B, and 0 states, 0 B\nThe store has 1 of them already: those stay in the trash. ' +
        "To bring back one of those, first move the store's own object of that name away, by hand.\n",
    );
    const after = await store.files();
    expect(Object.keys(after)).to.have.length(Object.keys(before).length);
    const [path = ''] = Object.keys(after).filter((each) => each.startsWith('states/') && each.endsWith(state));
    expect(after[path]).to.equal(before[path]);
  });

  it('needs to be told what, and says what it does not find', async () => {
    const { path } = await storeWithRemoval();
    for (const wrong of [[], ['--all', '--since', '1d'], ['--mac', 'abc'], ['--mac', packfile, '--all']]) {
      const { exitCode, stderr } = await run('trash', 'restore', path, ...wrong, '--apply');
      expect(exitCode, wrong.join(' ')).to.equal(2);
      expect(stderr).to.include('--mac');
    }
    const { exitCode, stderr } = await run(
      'trash',
      'restore',
      path,
      '--mac',
      '0'.repeat(64),
      '--mac',
      state,
      '--apply',
    );
    expect(exitCode).to.equal(1);
    expect(stderr).to.equal(`kloset-gateway: there is no ${'0'.repeat(64)} in the trash\n`);
  });
});

describe('trash purge', () => {
  it('removes for good what was deleted before a moment, or everything, when told', async () => {
    const store = await storeWithRemoval();
    const kept = await store.files();
    const before = ['trash', 'purge', store.path, '--before', '2026-01-20T12:00:02Z'];
    expect(await runJson<Listed>(...before)).to.deep.include({ applied: false });
    expect(await store.files()).to.deep.equal(kept);
    expect((await run(...before, '--apply')).stdout).to.equal(
      'removed for good: 0 packfiles, 0 B, and 1 state, 4.88 KiB\n',
    );
    expect((await runJson<Listed>('trash', 'list', store.path)).objects.map(({ mac }) => mac)).to.deep.equal([
      packfile,
    ]);
    expect(await runJson<Listed>('trash', 'purge', store.path, '--all', '--apply')).to.deep.include({ applied: true });
    expect((await runJson<Listed>('trash', 'list', store.path)).objects).to.be.empty;
    expect(await store.namesOf('packfile', 'B', 'C')).to.deep.equal(['B', 'C']);
    expect((await run('trash', 'purge', store.path)).exitCode).to.equal(2);
  });
});

describe('commands about a store', () => {
  it('find it in a configuration file, by its name or as the only one', async () => {
    const [blue, green] = [await storeWithRemoval(), await storeWithRemoval()];
    const file = async (stores: Record<string, string>): Promise<string> => {
      const path = join(await tempFolder(), 'gateway.yaml');
      const located = Object.entries(stores).map(([name, location]) => [name, { location }]);
      await writeFile(path, JSON.stringify({ stores: Object.fromEntries(located) }));
      return path;
    };
    const both = await file({ 'teams/blue': blue.path, green: green.path });
    const titleOf = async (...args: string[]): Promise<string> =>
      (await runJson<{ store: string }>('trash', 'list', ...args)).store;
    expect(await titleOf('--config', both, '--store', 'teams/blue')).to.equal(blue.path);
    expect(await titleOf('--config', await file({ green: green.path }))).to.equal(green.path);
    const hint = (await run('history', '--config', both, '--store', 'green')).stdout;
    expect(hint).to.include(`kloset-gateway restore-states --config ${both} --store green --as-of MOMENT`);
    for (const [args, text] of [
      [['--config', both], 'name one with --store: teams/blue, green'],
      [['--config', both, '--store', 'gren'], 'did you mean green?'],
      [[blue.path, '--store', 'green'], 'LOCATION and --store name two stores'],
      [['--config', '/nonexistent.yaml'], "can't be read"],
    ] as const) {
      const { exitCode, stderr } = await run('trash', 'list', ...args);
      expect(exitCode, args.join(' ')).to.equal(2);
      expect(stderr).to.include(text);
    }
  });

  it('say what is wrong with a location', async () => {
    const folder = await tempFolder();
    const { exitCode, stderr } = await run('history', folder);
    expect(exitCode).to.equal(1);
    expect(stderr).to.include(`${folder} is not a Kloset store`);
    expect((await run('history', 'ftp://example.org/x')).exitCode).to.equal(2);
    const gateway = await startTestGateway((await storeWithRemoval()).path);
    const elsewhere = await run('trash', 'list', `grpc://127.0.0.1:${gateway.grpcPort}`);
    await gateway.close();
    expect(elsewhere.exitCode).to.equal(2);
    expect(elsewhere.stderr).to.match(/has no trash here: use the machine that keeps the store\n$/);
  });
});
