import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { FileStore } from '../../src/backends/files/file-store.js';
import { LocalFileSystem } from '../../src/backends/local/local-file-system.js';
import { checkSegments } from '../../src/integrity/digest-log.js';
import { recordedDigests, recordOne } from '../support/digests.js';
import { host } from '../support/gateway.js';
import { ctx, listAll } from '../support/store.js';
import { emptyStore } from '../support/temp.js';

const child = fileURLToPath(new URL('support/recording-child.ts', import.meta.url));

describe('Gateways that are killed while they record digests', function () {
  this.timeout(60_000);

  /** Starts one, and kills it when it has acknowledged so many puts. Resolves to these, with their digests. */
  async function recordAndDie(folder: string, puts: number): Promise<string[]> {
    const args = ['--import', 'tsx', child, folder];
    const process_ = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(process_, 'exit');
    const lines: string[] = [];
    for await (const line of createInterface({ input: process_.stdout })) {
      if (lines.push(line) === puts) process_.kill('SIGKILL');
    }
    await exited;
    // The last one may have been cut off.
    return lines.filter((line) => line.length === 129);
  }

  it('have recorded every put that they acknowledged, several at once, and no segment seems to be changed', async () => {
    const folder = await emptyStore();
    const acknowledged = (await Promise.all([1, 200].map((puts) => recordAndDie(folder, puts)))).flat();
    expect(acknowledged.length).to.be.at.least(201);
    const store = await FileStore.open(new LocalFileSystem(folder), { durable: true, maxObjectBytes: 1e6, host });
    const recorded = await recordedDigests(store.digests);
    const lines = [...recorded.values()].map(({ mac, sha256 }) => `${mac} ${sha256.toString('hex')}`);
    expect(lines).to.include.members(acknowledged);
    expect(new Set(await listAll(store, 'packfile'))).to.include.all.keys([...recorded.values()].map(({ mac }) => mac));
    expect(await checkSegments(store.digests, ctx)).to.deep.equal([]);
    await recordOne(store.digests);
    expect(await checkSegments(store.digests, ctx), 'after the next one has named them').to.deep.equal([]);
    expect(await store.digests.list()).to.have.length(3);
    await store.close();
  });
});
