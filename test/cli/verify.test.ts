import { expect } from 'chai';
import { access, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { VerifyCommand } from '../../src/cli/command-types.js';
import { parseCommandLine } from '../../src/cli/parse.js';
import { runCommand } from '../../src/cli/run-command.js';
import { verify } from '../../src/cli/verify.js';
import { canceled } from '../../src/core/errors.js';
import { verifyStore } from '../../src/integrity/verify.js';
import type { VerifiedRef, VerifyPosition } from '../../src/integrity/verify-report.js';
import { Folder } from '../integrity/support/copies.js';
import { host, startTestGateway } from '../support/gateway.js';
import { failure } from '../support/store.js';
import { tempFolder } from '../support/temp.js';
import { run, runJson } from './support/undo.js';

interface Document {
  readonly whole: boolean;
  readonly checked: Record<string, { readonly objects: number }>;
  readonly damaged: readonly { mac: string; problem: string; otherCopy?: string }[];
  readonly repair?: string;
}

/** A store of four objects, with their digests, and another copy of it. */
async function copies(encryption: 'plaintext' | 'encrypted' = 'encrypted'): Promise<[Folder, Folder, VerifiedRef[]]> {
  const folder = await Folder.create(encryption);
  const refs: VerifiedRef[] = [];
  for (const i of [0, 1, 2, 3]) refs.push(await folder.add(i === 3 ? 'state' : 'packfile', 1000, `${encryption} ${i}`));
  return [folder, await folder.copy(), refs];
}

describe('verify', () => {
  it('says what was read and what is known of it, and ends with 0 where nothing is damaged', async () => {
    const [folder] = await copies('plaintext');
    const { exitCode, stdout, stderr } = await run('verify', folder.path);
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: '' });
    expect(stdout.split('\n').map((line) => line.trim().replaceAll(/ {2,}/g, ' | '))).to.deep.equal([
      `${folder.path}: nothing is damaged`,
      '',
      'read | 3 packfiles, 2.93 KiB, and 1 state, 1000 B',
      'match their MAC | 4',
      '',
    ]);
  });

  it('takes what is missing for deleted on purpose if the operator says so, and reads nothing then', async () => {
    const [folder, , refs] = await copies();
    await folder.record(refs);
    const [lost] = refs as [VerifiedRef];
    await folder.lose(lost);
    const before = await run('verify', folder.path);
    expect(before.exitCode).to.equal(1);
    expect(before.stdout).to.include(`kloset-gateway verify ${folder.path} --accept-missing`);
    const accepted = await run('verify', folder.path, '--accept-missing');
    expect(accepted.exitCode).to.equal(0);
    expect(accepted.stdout).to.equal(`${folder.path}: 1 object recorded as deleted\n  ${lost.kind}  ${lost.mac}\n`);
    expect((await run('verify', folder.path)).exitCode).to.equal(0);
    const mixed = parseCommandLine(['verify', folder.path, '--accept-missing', '--record']);
    expect(JSON.stringify(mixed)).to.include('--accept-missing reads nothing: leave out');
  });

  it('names what is damaged, and a command that mends it, and ends with 1', async () => {
    const [folder, other, refs] = await copies();
    await folder.record(refs);
    const [cut, flipped, lost] = refs as [VerifiedRef, VerifiedRef, VerifiedRef];
    await folder.cut(cut, 0.5);
    await folder.flip(flipped, 0.5);
    await folder.lose(lost);
    const { exitCode, stdout } = await run('verify', folder.path, '--against', other.path);
    expect(exitCode).to.equal(1);
    const lines = stdout.split('\n').map((line) => line.trim().replaceAll(/ {2,}/g, ' | '));
    expect(lines[0]).to.equal(`${folder.path}: 3 objects are damaged:`);
    expect(lines).to.include.members([
      `packfile | ${cut.mac} | has 500 bytes instead of 1000; the other copy is whole`,
      `packfile | ${flipped.mac} | has other bytes than when it was put: the recorded SHA-256 is that of others; the other copy is whole`,
      `packfile | ${lost.mac} | is missing: its digest was recorded, and no client deleted it; the other copy is whole`,
      'read | 2 packfiles, 1.46 KiB, and 1 state, 1000 B',
      'match their recorded digest | 1',
    ]);
    const command = /kloset-gateway (repair .*)/.exec(stdout)?.[1] ?? '';
    const document = await runJson<Document>('verify', folder.path, '--against', other.path);
    expect(document.damaged.map(({ mac, problem, otherCopy }) => [mac, problem, otherCopy]).sort()).to.deep.equal(
      [
        [cut.mac, 'size', 'proven'],
        [flipped.mac, 'digest', 'proven'],
        [lost.mac, 'missing', 'proven'],
      ].sort(),
    );
    expect(document).to.deep.include({ whole: false, repair: `kloset-gateway ${command}` });
    expect((await run(...command.split(' '))).exitCode).to.equal(0);
    expect((await runJson<Document>('verify', folder.path)).whole).to.equal(true);
  });

  it('compares with a copy behind a gateway, which it names in the command', async () => {
    const [folder, other, refs] = await copies('plaintext');
    const [ref] = refs as [VerifiedRef];
    await folder.flip(ref, 0.5);
    const gateway = await startTestGateway(other.path);
    const location = `grpc://127.0.0.1:${gateway.grpcPort}`;
    const { stdout } = await run('verify', folder.path, '--against', location);
    expect(stdout).to.include(`repair ${folder.path} --from ${location} --mac ${ref.mac} --apply`);
    const refused = await run('verify', location, '--record');
    await gateway.close();
    expect(refused).to.deep.include({ exitCode: 2 });
    expect(refused.stderr).to.include('keeps no digests here');
  });

  it('records digests when it is told to', async () => {
    const [folder, , refs] = await copies();
    const first = await run('verify', folder.path);
    expect(first.stdout).to.include('`verify --record` records those');
    expect((await run('verify', folder.path, '--record')).stdout).to.match(/digests recorded +4\n/);
    const [ref] = refs as [VerifiedRef];
    await folder.flip(ref, 0.9);
    const { damaged } = await runJson<Document>('verify', folder.path);
    expect(damaged.map(({ mac, problem }) => [mac, problem])).to.deep.equal([[ref.mac, 'digest']]);
  });

  it('misses nothing that restore-states moved to the trash, and that was purged there', async () => {
    const [folder, , refs] = await copies();
    const state = refs.at(-1) as VerifiedRef;
    await folder.record(refs);
    const old = await folder.add('state', 1000, 'old');
    await utimes(folder.file(old), new Date('2026-01-01'), new Date('2026-01-01'));
    expect((await run('restore-states', folder.path, '--as-of', '2026-02-01', '--apply')).exitCode).to.equal(0);
    expect((await run('trash', 'purge', folder.path, '--all', '--apply')).stdout).to.include('1 state');
    expect(await access(folder.file(state)).catch(() => 'gone')).to.equal('gone');
    expect((await runJson<Document>('verify', folder.path)).damaged).to.be.empty;
  });

  it('misses what came back from the trash, and was lost after that', async () => {
    const [folder, , refs] = await copies();
    const [lost, kept] = refs as [VerifiedRef, VerifiedRef];
    await folder.record(refs);
    await folder.withRecorder(async (recorder) => {
      for (const ref of [lost, kept]) await recorder.recordDelete(ref);
    });
    const store = await folder.open();
    for (const ref of [lost, kept]) await store.delete(ref);
    await store.close();
    expect((await run('trash', 'restore', folder.path, '--all', '--apply')).exitCode).to.equal(0);
    await folder.lose(lost);
    const { damaged } = await runJson<Document>('verify', folder.path);
    expect(damaged.map(({ mac, problem }) => [mac, problem])).to.deep.equal([[lost.mac, 'missing']]);
  });

  it('lists what only the other copy has, which is no damage, and the command that brings it back', async () => {
    const [folder, other, [lost]] = await copies();
    if (lost === undefined) throw new Error('there is none');
    await folder.lose(lost);
    const { exitCode, stdout } = await run('verify', folder.path, '--against', other.path);
    expect(exitCode).to.equal(0);
    expect(stdout).to.include('1 object only in the other copy:').and.include(lost.mac);
    const document = await runJson<Document>('verify', folder.path, '--against', other.path);
    const copy = `kloset-gateway copy ${other.path} ${folder.path}`;
    expect(document).to.deep.include({ whole: true, namedOnlyThere: [lost], copy });
    expect(stdout).to.include(`${copy}\n`);
    expect((await run('copy', other.path, folder.path)).exitCode).to.equal(0);
    expect((await folder.read(lost)).equals(await other.read(lost))).to.equal(true);
  });

  it('names the other copy as the configuration file does in the command that brings things back', async () => {
    const [folder, other, [lost]] = await copies();
    if (lost === undefined) throw new Error('there is none');
    await folder.lose(lost);
    const path = join(await tempFolder(), 'gateway.yaml');
    await writeFile(
      path,
      JSON.stringify({ stores: { blue: { location: folder.path }, green: { location: other.path } } }),
    );
    const { stdout } = await run('verify', '--config', path, '--store', 'blue', '--against', '@green');
    expect(stdout).to.include(`kloset-gateway copy --config ${path} @green @blue\n`);
    expect((await run('copy', '--config', path, '@green', '@blue')).exitCode).to.equal(0);
  });

  it('says no command that would replace what nothing tells to be damaged', async () => {
    const [folder, other, refs] = await copies();
    await folder.flip(refs[0] as VerifiedRef, 0.5);
    const { stdout } = await run('verify', folder.path, '--against', other.path);
    expect(stdout).to.include('Then name them with --mac, and --unproven').and.not.include('kloset-gateway repair');
  });

  it('goes on from a file, which it removes in the end, and refuses that of another run', async () => {
    const [folder, other] = await copies();
    const file = join(await tempFolder(), 'position');
    const store = await folder.open();
    const controller = new AbortController();
    let position: VerifyPosition | undefined;
    const on = {
      checked: () => controller.abort(canceled()),
      position: (reached: VerifyPosition) => (position = reached),
    };
    await failure(verifyStore(store, { jobs: 1, on }, { signal: controller.signal }));
    await store.close();
    await writeFile(file, JSON.stringify({ version: 1, store: folder.path, position }));
    const elsewhere = await run('verify', other.path, '--resume', file);
    expect(elsewhere).to.deep.include({ exitCode: 1 });
    expect(elsewhere.stderr).to.include('is about another run');
    await writeFile(file, (await readFile(file, 'utf8')).replace('"objects":1', '"objects":11'));
    const { checked } = await runJson<Document>('verify', folder.path, '--resume', file);
    expect(Number(checked['packfile']?.objects) + Number(checked['state']?.objects)).to.equal(14);
    expect(await access(file).catch(() => 'gone')).to.equal('gone');
  });

  it('shows a token to one gateway only', async () => {
    for (const option of ['--against', '--from']) {
      const name = option === '--from' ? 'repair' : 'verify';
      const command = parseCommandLine([name, 'grpc://127.0.0.1:1', option, 'grpc://127.0.0.1:2']);
      const { exitCode, stderr } = await runCommand(command, {
        env: {},
        surroundings: { home: '/nonexistent', cwd: '/nonexistent' },
        host,
        user: { name: 'operator', home: '/nonexistent', env: { KLOSET_GATEWAY_TOKEN: 'secret' } },
        print: async () => undefined,
        terminal: undefined,
      });
      expect({ exitCode, stderr }).to.deep.include({ exitCode: 2 });
      expect(stderr).to.include('would both be shown the token');
    }
  });

  it('ends with 130 when it is interrupted, and says how it goes on', async () => {
    const [folder] = await copies();
    const file = join(await tempFolder(), 'position');
    const command = parseCommandLine(['verify', folder.path, '--resume', file]) as VerifyCommand;
    const { exitCode, stderr } = await verify(command, {
      env: {},
      surroundings: { home: '/nonexistent', cwd: '/nonexistent' },
      host,
      user: { name: 'operator', home: '/nonexistent', env: {} },
      print: async () => undefined,
      terminal: undefined,
      interruption: () => AbortSignal.abort(canceled()),
    });
    expect({ exitCode, stderr }).to.deep.equal({
      exitCode: 130,
      stderr: `kloset-gateway: interrupted\nkloset-gateway: the same command goes on from here, by ${file}\n`,
    });
    const nowhere = await run('verify', folder.path, '--resume', '/nonexistent/position');
    expect(nowhere).to.deep.include({ exitCode: 1 });
    expect(nowhere.stderr).to.include("/nonexistent/position can't be written");
    for (const garbage of ['{"versi', '[]']) {
      await writeFile(file, garbage);
      const { stderr: text } = await run('verify', folder.path, '--resume', file);
      expect(text).to.include('remove it to begin anew').and.not.include('SyntaxError');
    }
  });
});
