import { expect } from 'chai';
import { startTestGateway } from '../support/gateway.js';
import { refOf, run, runJson, UsedStore } from './support/undo.js';

interface Listed {
  readonly applied?: boolean;
  readonly locks: readonly { readonly mac: string; readonly ageSeconds: number; readonly stale: boolean }[];
}

const minuteMs = 60_000;

/** A store with a lock for each name, refreshed so many minutes ago. */
async function storeWithLocks(ages: Readonly<Record<string, number>>): Promise<UsedStore> {
  const store = await UsedStore.create();
  for (const [name, minutes] of Object.entries(ages))
    await store.arrived('lock', name, new Date(Date.now() - minutes * minuteMs).toISOString(), 124);
  return store;
}

const macOf = (name: string): string => refOf('lock', name).mac;
const macsIn = ({ locks }: Listed): string[] => locks.map(({ mac }) => mac);
const present = async ({ path }: UsedStore): Promise<string[]> => macsIn(await runJson<Listed>('locks', 'list', path));

describe('locks list', () => {
  it('shows the age of each lock, the oldest first, and which are stale', async () => {
    const { path } = await storeWithLocks({ fresh: 2, old: 3 * 24 * 60, limit: 11 });
    const { locks } = await runJson<Listed>('locks', 'list', path);
    expect(locks.map(({ mac, stale }) => [mac, stale])).to.deep.equal([
      [macOf('old'), true],
      [macOf('limit'), true],
      [macOf('fresh'), false],
    ]);
    expect(locks[2]?.ageSeconds).to.be.within(120, 180);
    const { stdout } = await run('locks', 'list', path);
    expect(stdout).to.match(new RegExp(`Z  3 d ago +${macOf('old')}  stale\n`));
    expect(stdout).to.match(new RegExp(`  in use\n\nin ${path}: 3 locks, 2 of them stale\n$`));
  });

  it('says that there are none', async () => {
    const { path } = await storeWithLocks({});
    expect((await run('locks', 'list', path)).stdout).to.equal(`there are no locks in ${path}\n`);
    expect((await runJson<Listed>('locks', 'list', path)).locks).to.be.empty;
  });
});

describe('locks remove', () => {
  it('removes stale locks when told, and leaves those that are refreshed', async () => {
    const store = await storeWithLocks({ fresh: 9, old: 60, older: 70 });
    const before = await store.files();
    const shown = await run('locks', 'remove', store.path, '--stale');
    expect(shown.stderr).to.equal('Nothing was changed: add --apply to do it.\n');
    expect(shown.stdout).to.match(/\nto be removed from .*: 2 locks\n$/);
    expect(await store.files()).to.deep.equal(before);
    const { exitCode, stdout } = await run('locks', 'remove', store.path, '--stale', '--apply');
    expect({ exitCode, stdout }).to.deep.equal({ exitCode: 0, stdout: 'removed: 2 locks\n' });
    expect(await present(store)).to.deep.equal([macOf('fresh')]);
    const again = await run('locks', 'remove', store.path, '--stale', '--apply');
    expect(again.stdout).to.equal(`there is no stale lock in ${store.path}\n`);
  });

  it('removes a lock that is named, unless it is in use', async () => {
    const store = await storeWithLocks({ fresh: 3, old: 60, older: 70 });
    const start = macOf('old').slice(0, 12).toUpperCase();
    const removed = await runJson<Listed>('locks', 'remove', store.path, '--mac', start, '--apply');
    expect(removed.applied).to.equal(true);
    expect(macsIn(removed)).to.deep.equal([macOf('old')]);
    const { exitCode, stdout, stderr } = await run(
      ...['locks', 'remove', store.path, '--mac', macOf('fresh'), '--mac', macOf('older'), '--apply'],
    );
    expect({ exitCode, stdout }).to.deep.equal({ exitCode: 1, stdout: '' });
    expect(stderr).to.include(`the lock ${macOf('fresh')} is in use: it was refreshed 3 min ago\n`);
    expect(await present(store)).to.deep.equal([macOf('older'), macOf('fresh')]);
  });

  it('needs to be told which, and says what it does not find', async () => {
    const { path } = await storeWithLocks({ old: 60 });
    for (const wrong of [[], ['--stale', '--mac', macOf('old')], ['--mac', 'abc']]) {
      const { exitCode, stderr } = await run('locks', 'remove', path, ...wrong, '--apply');
      expect(exitCode, wrong.join(' ')).to.equal(2);
      expect(stderr).to.include('--mac');
    }
    const both = await run('locks', 'remove', path, '--stale', '--mac', macOf('old'));
    expect(both.stderr).to.include('--stale and --mac both say which locks: leave out one of them');
    const { exitCode, stderr } = await run('locks', 'remove', path, '--mac', '0'.repeat(64), '--apply');
    expect({ exitCode, stderr }).to.deep.equal({
      exitCode: 1,
      stderr: `kloset-gateway: there is no lock ${'0'.repeat(64)}\n`,
    });
  });

  it('works through a gateway that lets it', async () => {
    const store = await storeWithLocks({ old: 60, fresh: 1 });
    const gateway = await startTestGateway(store.path, { 'allow-write': true });
    const location = `grpc://127.0.0.1:${gateway.grpcPort}`;
    const { stdout, stderr } = await run('locks', 'remove', location, '--stale', '--apply');
    await gateway.close();
    expect({ stdout, stderr }).to.deep.equal({ stdout: 'removed: 1 lock\n', stderr: '' });
    expect(await present(store)).to.deep.equal([macOf('fresh')]);
  });

  it('tells once what a gateway does not let it do, and not that it could go on', async () => {
    const { path } = await storeWithLocks({ old: 60 });
    const gateway = await startTestGateway(path);
    const { exitCode, stderr } = await run(
      ...['locks', 'remove', `grpc://127.0.0.1:${gateway.grpcPort}`, '--stale', '--apply'],
    );
    await gateway.close();
    expect({ exitCode, lines: stderr.split('\n').length }).to.deep.equal({ exitCode: 1, lines: 2 });
    expect(stderr.match(/not allowed/g)).to.have.length(1);
    expect(stderr).not.to.include('PERMISSION_DENIED');
  });
});
