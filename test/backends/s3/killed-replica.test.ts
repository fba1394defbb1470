import { expect } from 'chai';
import { ifPresent } from '../../../src/core/errors.js';
import type { ObjectRef } from '../../../src/core/object.js';
import type { Store } from '../../../src/core/store.js';
import { deferred } from '../../support/deferred.js';
import { FaultProxy, type Fault } from '../../support/fault-proxy.js';
import { answerHeld, held, stalledAfter } from '../../support/faults.js';
import type { TestGateway } from '../../support/gateway.js';
import { HttpStore } from '../../support/http-store.js';
import { makeObject, newRef } from '../../support/objects.js';
import type { S3Operation, S3Request } from '../../support/s3-request.js';
import { s3Server } from '../../support/s3-server.js';
import { startS3Gateway } from '../../support/s3-store.js';
import { expectFailure, getAll, listAll, putAll } from '../../support/store.js';
import { killProcesses, startProcess } from '../../wire/support/process.js';

const MiB = 1024 * 1024;

/** The requests that a put needs, and the size of an object that needs it, in bytes. */
const steps = { PutObject: 3 * MiB, UploadPart: 9 * MiB, CompleteMultipartUpload: 9 * MiB } as const satisfies Partial<
  Record<S3Operation, number>
>;

type Step = keyof typeof steps;

/** When the replica is killed: the fault that stops a request there, and what is there afterwards. */
const moments = {
  'before they reach the service': { faultAt: () => held, isStored: () => false },
  'while the service has a part of them': { faultAt: () => stalledAfter(100), isStored: () => false },
  'before it has their answers': {
    faultAt: answerHeld,
    // A part is nothing yet.
    isStored: (step: Step) => step !== 'UploadPart',
  },
} satisfies Record<string, { faultAt: (done: () => void) => Fault; isStored: (step: Step) => boolean }>;

describe('a replica that is killed', function () {
  this.timeout(60_000);
  const server = s3Server();
  let proxy: FaultProxy;
  let prefix: string;
  let other: TestGateway;
  let survivor: Store;

  before(async () => {
    proxy = await FaultProxy.start(server().port);
    prefix = await server().emptyStore();
    other = await startS3Gateway(server(), prefix);
    survivor = new HttpStore(other.httpPort);
  });

  beforeEach(() => proxy.heal());

  afterEach(killProcesses);

  after(async () => {
    await survivor?.close();
    await other?.close();
    await proxy?.close();
  });

  for (const [when, { faultAt, isStored }] of Object.entries(moments)) {
    it(`with a PUT, a part and a Complete, ${when}, loses nothing that it acknowledged, and leaves nothing in part`, async () => {
      const options = ['--allow-write', '--no-s3-tls'];
      const replica = await startProcess(server().location(prefix, proxy.port), options, { env: server().env });
      const client = new HttpStore(replica.httpPort);
      const acknowledged = newRef('state');
      const state = makeObject('state', 1000, when);
      await putAll(client, acknowledged, state);

      const puts = (Object.keys(steps) as Step[]).map((step) => {
        const ref = newRef('packfile');
        const bytes = makeObject('packfile', steps[step], `${when} ${step}`);
        const isDone = deferred();
        const isStep = ({ operation, key }: S3Request): boolean => operation === step && key.endsWith(ref.mac);
        const { hit } = proxy.spoil(isStep, faultAt(isDone.resolve));
        const put = putAll(client, ref, bytes).then(
          () => 'acknowledged',
          () => 'failed',
        );
        return { step, ref, bytes, put, there: faultAt === answerHeld ? isDone.promise : hit };
      });
      await Promise.all(puts.map(({ there }) => there));
      replica.signal('SIGKILL');
      await replica.exited;

      expect((await getAll(survivor, acknowledged)).equals(state)).to.equal(true);
      for (const { step, ref, bytes, put } of puts) {
        expect(await put).to.equal('failed');
        await expectWholeOrAbsent(ref, isStored(step) ? bytes : undefined);
        await putAll(survivor, ref, bytes);
        await expectWholeOrAbsent(ref, bytes);
        await expectFailure(putAll(survivor, ref, makeObject('packfile', bytes.length, 'other')), 'already_exists');
      }
      await client.close();
    });
  }

  async function expectWholeOrAbsent(ref: ObjectRef, bytes: Buffer | undefined): Promise<void> {
    const there = await ifPresent(getAll(survivor, ref));
    expect(bytes === undefined ? there === undefined : there?.equals(bytes)).to.equal(true);
    const listed = await listAll(survivor, ref.kind);
    expect(listed.includes(ref.mac)).to.equal(bytes !== undefined);
  }
});
