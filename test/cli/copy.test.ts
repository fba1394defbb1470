import { expect } from 'chai';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { objectPath } from '../../src/backends/files/layout.js';
import type { StoreContext } from '../../src/cli/named-store.js';
import type { Outcome } from '../../src/cli/outcome.js';
import { parseCommandLine } from '../../src/cli/parse.js';
import { runCommand } from '../../src/cli/run-command.js';
import { host } from '../support/gateway.js';
import { makeObject } from '../support/objects.js';
import { emptyStore, tempFolder } from '../support/temp.js';
import { refOf, run, runJson, storeWithRemoval, UsedStore } from './support/undo.js';

const none = { objects: 0, bytes: 0 };

describe('copy', () => {
  let source: UsedStore;
  let destination: string;

  beforeEach(async () => {
    source = await storeWithRemoval();
    destination = await emptyStore();
  });

  function copy(...more: string[]): Promise<Outcome> {
    return run('copy', source.path, destination, ...more);
  }

  it('copies what is missing, and says so', async () => {
    expect(await copy()).to.deep.equal({
      exitCode: 0,
      stdout: 'copied: 2 packfiles, 195 KiB, and 3 states, 9.91 KiB\nin both already: 0 packfiles, and 0 states\n',
      stderr: '',
    });
    expect(await runJson('copy', source.path, destination)).to.deep.equal({
      source: source.path,
      destination,
      dryRun: false,
      copied: { packfile: none, state: none },
      present: { packfile: 2, state: 3 },
      missing: { packfile: none, state: none },
      differing: [],
    });
  });

  it('only shows what would be copied, and ends with 1 where that is something', async () => {
    expect(await copy('--dry-run')).to.deep.equal({
      exitCode: 1,
      stdout:
        'to be copied: 2 packfiles, 195 KiB, and 3 states, 9.91 KiB\nin both already: 0 packfiles, and 0 states\n',
      stderr: '',
    });
    await copy();
    expect(await copy('--dry-run')).to.include({ exitCode: 0 });
  });

  it('reports what differs, leaves it as it is, and ends with 1', async () => {
    const ref = refOf('packfile', 'B');
    const file = join(destination, objectPath(ref));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, makeObject('packfile', 52));
    const { exitCode, stdout, stderr } = await copy();
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 1, stderr: '' });
    expect(stdout.split('\n').map((line) => line.trim().replaceAll(/ {2,}/g, ' | '))).to.deep.equal([
      'copied: 1 packfile, 97.7 KiB, and 3 states, 9.91 KiB',
      'in both already: 1 packfile, and 0 states',
      '',
      "left as they are, as they differ or can't be copied:",
      'kind | MAC | what is wrong',
      `packfile | ${ref.mac} | it has 100000 bytes in the source, and 52 in the destination`,
      '',
    ]);
    const { differing } = await runJson<{ differing: unknown }>('copy', source.path, destination);
    expect(differing).to.deep.equal([
      {
        kind: 'packfile',
        mac: ref.mac,
        what: 'size',
        text: 'it has 100000 bytes in the source, and 52 in the destination',
      },
    ]);
  });

  it('copies the source as it was at a moment, with what was deleted since then', async () => {
    const { exitCode, stdout } = await copy('--as-of', '2026-01-06', '--verify', '--jobs', '2');
    expect(exitCode).to.equal(0);
    expect(stdout).to.match(/^copied: 2 packfiles, .* and 2 states,/);
    const copied = UsedStore.at(destination);
    expect(await copied.namesOf('state', 'A', 'B', 'C', 'removal')).to.deep.equal(['A', 'B']);
    expect(await copied.namesOf('packfile', 'A', 'B', 'C')).to.deep.equal(['A', 'B']);
  });

  it('refuses to copy the source as of a moment before its first state, and makes no store', async () => {
    const { exitCode, stdout, stderr } = await copy('--as-of', '2020-01-01', '--create');
    expect({ exitCode, stdout }).to.deep.equal({ exitCode: 1, stdout: '' });
    expect(stderr).to.equal(
      `kloset-gateway: no state had arrived in ${source.path} by 2020-01-01T00:00Z: there is nothing to copy\n`,
    );
  });

  it('copies between stores of the configuration file', async () => {
    const config = join(await tempFolder(), 'gateway.yaml');
    await writeFile(config, `stores: {first: {location: ${source.path}}, second: {location: ${destination}}}\n`);
    expect(await run('copy', '@first', '@second', '--config', config)).to.include({ exitCode: 0, stderr: '' });
    expect(await UsedStore.at(destination).namesOf('state', 'B', 'C')).to.deep.equal(['B', 'C']);
    const { exitCode, stderr } = await run('copy', '@first', '@third', '--config', config);
    expect({ exitCode, stderr }).to.deep.include({ exitCode: 2 });
    expect(stderr).to.include('"third"');
    expect(await run('copy', '@first', '@first', '--config', config)).to.include({ exitCode: 2 });
  });

  it('refuses what makes no sense', async () => {
    const link = join(await tempFolder(), 'link');
    await symlink(source.path, link);
    for (const same of [source.path, `${source.path}/`, `fs://${source.path}`, link]) {
      const { exitCode, stderr } = await run('copy', source.path, same);
      expect({ exitCode, stderr }).to.deep.equal({
        exitCode: 2,
        stderr: 'kloset-gateway: SOURCE and DESTINATION are the same store: name the place of the second copy\n',
      });
    }
    for (const [one, other] of [
      [source.path, join(source.path, 'sub', 'second')],
      [source.path, join(link, 'second')],
      [join(source.path, 'sub'), source.path],
    ] as const) {
      const { exitCode, stderr } = await run('copy', one, other, '--create');
      expect(exitCode, other).to.equal(2);
      expect(stderr).to.include('in the folder of the other');
    }
    expect(await copy('--create', '--dry-run')).to.include({ exitCode: 2 });
    expect(await copy('--as-of', 'yesterday')).to.include({ exitCode: 2 });
    expect((await copy('--as-of', '2999-01-01')).stderr).to.include('that is in the future');
    expect(await run('copy', source.path)).to.include({ exitCode: 2 });
  });

  it('refuses to show the token in the environment to two gateways', async () => {
    const user = { ...context.user, env: { KLOSET_GATEWAY_TOKEN: 'secret' } };
    const words = ['copy', 'grpcs://one.example.org', 'grpcs://two.example.org'];
    const { exitCode, stderr } = await runCommand(parseCommandLine(words), { ...context, user });
    expect(exitCode).to.equal(2);
    expect(stderr).to.include('one.example.org:9878 and two.example.org:9878 are two gateways');
  });

  it('says what is wrong with a place, or with the copy of another store', async () => {
    const missing = await run('copy', source.path, join(destination, 'no'));
    expect(missing.exitCode).to.equal(1);
    expect(missing.stderr).to.include('is not a Kloset store').and.not.include('goes on');
    expect(missing.stderr).to.include(`copy SOURCE ${join(destination, 'no')} --create`);
    await writeFile(
      join(destination, 'CONFIG'),
      Buffer.concat([await readFile(join(source.path, 'CONFIG')), Buffer.from('x')]),
    );
    const other = await copy('--json');
    expect(other.exitCode).to.equal(1);
    expect(other.stderr).to.equal('kloset-gateway: the two are not copies of one store: their CONFIGs differ\n');
    expect(JSON.parse(other.stdout)).to.deep.include({
      error: 'the two are not copies of one store: their CONFIGs differ',
    });
  });

  it('shows a bar on a terminal', async () => {
    let terminal = '';
    const { exitCode, stderr } = await runCommand(parseCommandLine(['copy', source.path, destination]), {
      ...context,
      terminal: (text) => void (terminal += text),
    });
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: '' });
    expect(terminal).to.match(/^\rfinding out what is missing/);
    expect(terminal).to.match(/\[={24}\] 100%, 205 KiB of 205 KiB, .*\/s/);
    expect(terminal).to.match(/\r\x1b\[K$/);
  });

  it('runs many transfers without a warning of Node', async () => {
    const warnings: Error[] = [];
    const warned = (warning: Error): void => void warnings.push(warning);
    process.on('warning', warned);
    for (let i = 0; i < 60; i++) await source.arrived('packfile', `more ${i}`, '2026-01-02T00:00:00Z');
    const words = ['copy', source.path, destination, '--jobs', '16', '--rate', '1MiB'];
    const { signal } = new AbortController();
    const { exitCode } = await runCommand(parseCommandLine(words), { ...context, interruption: () => signal });
    // Warnings are emitted later.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', warned);
    expect({ exitCode, warnings: warnings.map(String) }).to.deep.equal({ exitCode: 0, warnings: [] });
  });

  it('ends when it is interrupted, and goes on at the next run', async () => {
    const caller = new AbortController();
    caller.abort();
    const interrupted = { ...context, interruption: () => caller.signal };
    const { exitCode, stderr } = await runCommand(parseCommandLine(['copy', source.path, destination]), interrupted);
    expect(exitCode).to.equal(130);
    expect(stderr).to.include('interrupted');
    expect(await copy()).to.include({ exitCode: 0 });
  });
});

const context: StoreContext = {
  env: {},
  surroundings: { home: '/nonexistent', cwd: '/nonexistent' },
  host,
  user: { name: 'operator', home: '/nonexistent', env: {} },
  print: async () => undefined,
  terminal: undefined,
};
