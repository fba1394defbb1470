import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { objectKinds, type ObjectRef } from '../../src/core/object.js';
import type { Store } from '../../src/core/store.js';
import { GrpcStore } from '../support/grpc-store.js';
import { HttpStore } from '../support/http-store.js';
import { makeObject, newRef } from '../support/objects.js';
import { ctx, eventually, putAll } from '../support/store.js';
import { emptyStore } from '../support/temp.js';
import { killProcesses, startProcess, type GatewayProcess } from './support/process.js';

const traced =
  'fsync,fdatasync,link,linkat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,write,writev,pwrite64,pwritev,sendto';

const protocols: Readonly<Record<string, (gateway: GatewayProcess) => Store>> = {
  HTTP: ({ httpPort }) => new HttpStore(httpPort),
  gRPC: ({ grpcPort }) => new GrpcStore(grpcPort),
};

/** A system call that has ended, by its purpose. */
type Step =
  'write file' | 'sync file' | 'sync folder' | 'publish' | 'remove' | 'answer' | 'make folder' | 'sync parent';

describe('The system calls of the gateway', function () {
  this.timeout(60_000);
  let folder: string;
  let gateway: GatewayProcess;
  let trace: string;
  /** The length of the trace up to which it is about earlier requests. */
  let seen = 0;

  before(function () {
    if (spawnSync('strace', ['-V']).status !== 0) this.skip();
  });

  afterEach(killProcesses);

  async function start(...options: string[]): Promise<void> {
    folder = await emptyStore();
    trace = join(dirname(folder), 'trace');
    seen = 0;
    const strace = ['strace', '-D', '-f', '-y', '-s', '64', '-e', `trace=${traced}`, '-o', trace];
    gateway = await startProcess(folder, ['--allow-delete', ...options], { wrapper: strace });
  }

  for (const [protocol, connect] of Object.entries(protocols)) {
    it(`sync a put or delete before it is acknowledged, over ${protocol}`, async () => {
      await start();
      const store = connect(gateway);
      for (const kind of objectKinds) {
        const ref = newRef(kind);
        await putAll(store, ref, makeObject(kind, kind === 'lock' ? 124 : 700_000));
        await store.delete(ref, ctx);
        const steps = await stepsFor(ref, ['publish', 'answer', 'remove', 'answer']);
        const put: Step[] = ['write file', 'sync file', 'publish', 'sync folder', 'answer'];
        expectInOrder(steps, put, `put of a ${kind}`);
        expectInOrder(
          steps.slice(steps.indexOf('answer') + 1),
          ['remove', 'sync folder', 'answer'],
          `delete of a ${kind}`,
        );
        if (kind !== 'lock') expectInOrder(steps, ['make folder', 'sync parent', 'publish'], `new folder of a ${kind}`);
      }
      await store.close();
    });

    it(`sync an object that exists when it is put again, over ${protocol}`, async () => {
      await start();
      const store = connect(gateway);
      const ref = newRef('packfile');
      const bytes = makeObject('packfile', 700_000);
      await putAll(store, ref, bytes);
      await stepsFor(ref, ['publish', 'answer']);
      await putAll(store, ref, bytes);
      const again = await stepsFor(ref, ['sync file', 'answer']);
      expectInOrder(again, ['sync file', 'sync folder', 'answer'], 'repeated put');
      expect(again).to.not.include('publish');
      await store.close();
    });
  }

  it('sync nothing with --durability none', async () => {
    await start('--durability', 'none');
    for (const connect of Object.values(protocols)) {
      const store = connect(gateway);
      for (const kind of objectKinds) {
        const ref = newRef(kind);
        await putAll(store, ref, makeObject(kind, 1000));
        await store.delete(ref, ctx);
        const steps: Step[] = ['publish', 'answer', 'remove', 'answer'];
        expectInOrder(await stepsFor(ref, steps), steps, kind);
      }
      await store.close();
    }
    expect(await readFile(trace, 'utf8')).to.not.match(/f(data)?sync\(/);
  });

  /** The new steps for an object, its folders and the answers. Waits until they contain those in `until`, in this order. */
  async function stepsFor(ref: ObjectRef, until: readonly Step[]): Promise<Step[]> {
    return eventually(
      async () => {
        const text = await readFile(trace, 'utf8');
        const steps = stepsIn(text.slice(seen), ref);
        let at = 0;
        for (const step of steps) if (step === until[at]) at++;
        if (at < until.length) return undefined;
        seen = text.length;
        return steps;
      },
      `strace has ${until.join(', ')}`,
    );
  }

  /** The steps in a part of the trace. A call that another thread's interrupts counts where it ends. */
  function stepsIn(text: string, ref: ObjectRef): Step[] {
    const unfinished = new Map<string, string>();
    const steps: Step[] = [];
    for (const line of text.split('\n')) {
      const [, pid = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
      if (rest.endsWith('<unfinished ...>')) {
        unfinished.set(pid, rest);
        continue;
      }
      const call = rest.startsWith('<...') ? `${unfinished.get(pid) ?? ''} ${rest}` : rest;
      const step = / = -1 /.test(call) ? undefined : stepOf(call, ref);
      // A file may be written, and an answer sent, by several calls. An answer at the beginning belongs to an earlier request.
      const repeats = (step === 'write file' || step === 'answer') && step === (steps.at(-1) ?? 'answer');
      if (step !== undefined && !repeats) steps.push(step);
    }
    return steps;
  }

  function stepOf(call: string, { kind, mac }: ObjectRef): Step | undefined {
    const top = `${folder}/${kind}s`;
    const bucket = kind === 'lock' ? top : `${top}/${mac.slice(0, 2)}`;
    const isTemporary = call.includes(`${top}/tmp.kloset-gateway.`);
    const isSync = /^f(data)?sync\(/.test(call);
    if (/^(link|rename)/.test(call)) return call.includes(`${bucket}/${mac}`) ? 'publish' : undefined;
    if (/^unlink/.test(call)) return call.includes(`${bucket}/${mac}`) ? 'remove' : undefined;
    if (/^mkdir/.test(call)) return call.includes(`"${bucket}"`) ? 'make folder' : undefined;
    if (isSync && (isTemporary || call.includes(`<${bucket}/${mac}>`))) return 'sync file';
    if (isSync && call.includes(`<${bucket}>`)) return 'sync folder';
    if (isSync && call.includes(`<${top}>`)) return 'sync parent';
    if (/^p?writev?(64)?\(/.test(call) && isTemporary) return 'write file';
    return isAnswer(call) ? 'answer' : undefined;
  }
});

/** Whether a call writes the start of an answer: HTTP's head, or gRPC's first HEADERS frame. */
function isAnswer(call: string): boolean {
  if (!/^(writev?|sendto)\(\d+<(socket|TCP)/.test(call)) return false;
  return call.includes('HTTP/1.1 200 OK') || /"\\0\\0.{1,12}\\1\\[45]\\0\\0\\0/.test(call);
}

/** Expects these steps in this order. Others may come between them, but no answer. */
function expectInOrder(steps: readonly Step[], expected: readonly Step[], what: string): void {
  let at = -1;
  for (const step of expected) {
    const next = steps.indexOf(step, at + 1);
    expect(
      next,
      `${what}: ${step} after ${steps.slice(0, at + 1).join(', ')} in ${steps.join(', ')}`,
    ).to.be.greaterThan(at);
    const early = steps.slice(at + 1, next).filter((each) => each === 'answer');
    expect(early, `${what}: an answer before ${step} in ${steps.join(', ')}`).to.deep.equal([]);
    at = next;
  }
}
