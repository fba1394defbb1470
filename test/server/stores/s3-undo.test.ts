import { expect } from 'chai';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseCommandLine } from '../../../src/cli/parse.js';
import { runCommand } from '../../../src/cli/run-command.js';
import { formatMoment } from '../../../src/core/moment.js';
import { host } from '../../support/gateway.js';
import { GrpcStore } from '../../support/grpc-store.js';
import { HttpStore } from '../../support/http-store.js';
import { makeObject, newRef } from '../../support/objects.js';
import { s3Server } from '../../support/s3-server.js';
import { startS3Gateway } from '../../support/s3-store.js';
import { ctx, expectFailure, getAll, listAll, putAll } from '../../support/store.js';

/** More than the services' clocks tell, in milliseconds. */
const tickMs = 1100;

describe('A gateway before a store in S3 with a trash', function () {
  this.timeout(60_000);
  const server = s3Server({ versions: true });

  /** What an operator types, beside the gateway. Resolves to the document that it prints. */
  async function command<T = { objects: { mac: string }[] }>(
    name: string,
    prefix: string,
    ...more: string[]
  ): Promise<T> {
    const context = {
      env: {},
      surroundings: { home: '/nonexistent', cwd: '/' },
      host,
      user: { name: 'operator', home: '/nonexistent', env: server().env },
      print: async (text: string) => void (output += text),
      terminal: undefined,
    };
    let output = '';
    const words = [...name.split(' '), server().location(prefix), '--no-s3-tls', '--json', ...more];
    const { exitCode, stdout, stderr } = await runCommand(parseCommandLine(words), context);
    expect(exitCode, stderr).to.equal(0);
    return JSON.parse(output + stdout) as T;
  }

  it('shows the store as it was, and the commands bring back what was deleted, or remove it for good', async () => {
    const prefix = await server().emptyStore();
    const gateway = await startS3Gateway(server(), prefix, { trash: '14d' });
    const store = new HttpStore(gateway.httpPort);
    const refs = [newRef('packfile'), newRef('state')];
    const bytesOf = new Map(refs.map((ref) => [ref, makeObject(ref.kind, 5000, ref.mac)]));
    for (const [ref, bytes] of bytesOf) await putAll(store, ref, bytes);
    await sleep(tickMs);
    const moment = formatMoment(Date.now());
    await sleep(tickMs);
    const later = newRef('state');
    await putAll(store, later, makeObject('state', 148));
    for (const ref of refs) await store.delete(ref, ctx);
    expect(await listAll(store, 'packfile')).to.deep.equal([]);

    const views = [
      new HttpStore(gateway.httpPort, { store: `@${moment}` }),
      new GrpcStore(gateway.grpcPort, { store: `@${moment}` }),
    ];
    for (const view of views) {
      for (const ref of refs) {
        expect(await listAll(view, ref.kind)).to.deep.equal([ref.mac]);
        expect(await getAll(view, ref)).to.deep.equal(bytesOf.get(ref));
      }
      await expectFailure(view.get(later, undefined, ctx), 'not_found');
      await view.close();
    }

    const macs = refs.map(({ mac }) => mac);
    expect((await command('trash list', prefix)).objects.map(({ mac }) => mac)).to.have.members(macs);
    const { days } = await command<{ days: { deletedStates: object; states: object }[] }>('history', prefix);
    expect(days.at(-1)).to.deep.include({
      deletedStates: { count: 1, bytes: 5000 },
      states: { count: 2, bytes: 5148 },
    });
    const plan = await command<{ applied: boolean; gone: number }>(
      'restore-states',
      prefix,
      '--as-of',
      moment,
      '--apply',
    );
    expect(plan).to.deep.include({ applied: true, gone: 0 });
    for (const [ref, bytes] of bytesOf) expect(await getAll(store, ref)).to.deep.equal(bytes);
    expect(await listAll(store, 'state')).to.not.include(later.mac);

    const [packfile] = refs;
    if (packfile === undefined) throw new Error('there is none');
    await store.delete(packfile, ctx);
    await command('trash restore', prefix, '--mac', packfile.mac, '--apply');
    expect(await getAll(store, packfile)).to.deep.equal(bytesOf.get(packfile));
    await command('trash purge', prefix, '--all', '--apply');
    expect((await command('trash list', prefix)).objects).to.deep.equal([]);
    await store.close();
    await gateway.close();
  });

  it('refuses deletes for as long as the retention says, from the time when the bucket got an object', async () => {
    const prefix = await server().emptyStore();
    const gateway = await startS3Gateway(server(), prefix, { retention: '30d', trash: '14d' });
    const store = new HttpStore(gateway.httpPort);
    const ref = newRef('packfile');
    await putAll(store, ref, makeObject('packfile', 1000));
    const { message } = await expectFailure(store.delete(ref, ctx), 'permission_denied');
    expect(message).to.include('is kept until');
    await store.close();
    await gateway.close();
  });
});
