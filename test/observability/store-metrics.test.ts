import { expect } from 'chai';
import { StoreError } from '../../src/core/errors.js';
import type { Store } from '../../src/core/store.js';
import { Measured } from '../../src/layers/measured.js';
import { ProcessMetrics } from '../../src/observability/process-metrics.js';
import { StoreMetrics } from '../../src/observability/store-metrics.js';
import { deferred } from '../support/deferred.js';
import { MemoryStore } from '../support/memory-store.js';
import { makeObject, newRef } from '../support/objects.js';
import { ctx, expectFailure, getAll, listAll, putAll, readAll } from '../support/store.js';

describe('StoreMetrics', () => {
  let processMetrics: ProcessMetrics;
  let metrics: StoreMetrics;
  let inner: Store;
  let store: Measured;

  beforeEach(() => {
    processMetrics = new ProcessMetrics('gateway-1');
    metrics = new StoreMetrics(processMetrics);
    metrics.isActive = true;
    inner = new MemoryStore(Buffer.alloc(48), 1e6);
    store = new Measured(inner, metrics.observerOf('teams/blue'));
  });

  /** The values of a metric by its labels but the store's, without those that are 0. */
  async function valuesOf(name: string): Promise<Record<string, number>> {
    const text = await processMetrics.registry.getSingleMetricAsString(`kloset_gateway_store_${name}`);
    const lines = [...text.matchAll(/^(\w+)\{store="teams\/blue",?(.*)\} (\S+)$/gm)];
    return Object.fromEntries(
      lines.map(([, , labels = '', value]) => [labels, Number(value)] as const).filter(([, value]) => value !== 0),
    );
  }

  /** Makes gets answer with two chunks, of which the second one fails if there is an error. */
  function inTwoChunks(bytes: Buffer, error?: StoreError): void {
    async function* chunks(): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 100);
      if (error !== undefined) throw error;
      yield bytes.subarray(100);
    }
    const { length } = bytes;
    inner.get = async () => ({ objectSize: length, length, data: chunks(), release: () => undefined });
  }

  it('count each operation once, by its outcome, and its duration', async () => {
    const ref = newRef('packfile');
    await putAll(store, ref, makeObject('packfile', 1000));
    await expectFailure(putAll(store, ref, makeObject('packfile', 1000, 'other')), 'already_exists');
    await getAll(store, ref, { offset: 0, length: 10 });
    await expectFailure(getAll(store, newRef('packfile')), 'not_found');
    await store.stat(ref, ctx);
    await store.config(ctx);
    await listAll(store, 'packfile');
    // A list that is left early has not failed.
    for await (const batch of store.list('packfile', ctx)) if (batch.length > 0) break;
    await store.delete(ref, ctx);
    inner.config = () => Promise.reject(new Error('unexpected'));
    await store.config(ctx).catch(() => undefined);
    expect(await valuesOf('operations_total')).to.deep.equal({
      'operation="put",code="ok"': 1,
      'operation="put",code="already_exists"': 1,
      'operation="get",code="ok"': 1,
      'operation="get",code="not_found"': 1,
      'operation="stat",code="ok"': 1,
      'operation="config",code="ok"': 1,
      'operation="config",code="internal"': 1,
      'operation="list",code="ok"': 2,
      'operation="delete",code="ok"': 1,
    });
    const text = await processMetrics.registry.metrics();
    const count = 'kloset_gateway_store_operation_duration_seconds_count{store="teams/blue",operation="put"} 2';
    expect(text).to.include(count);
  });

  it('count the bytes that were read, and a read that fails halfway as failed', async () => {
    const ref = newRef('packfile');
    const bytes = makeObject('packfile', 1000);
    await putAll(store, ref, bytes, 300);
    await getAll(store, ref, { offset: 0, length: 10 });
    inTwoChunks(bytes);
    expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
    (await store.get(ref, undefined, ctx)).release();
    expect(await valuesOf('written_bytes_total')).to.deep.equal({ '': 1000 });
    expect(await valuesOf('read_bytes_total')).to.deep.equal({ '': 1010 });
    inTwoChunks(bytes, new StoreError('unavailable', 'the disk is gone'));
    await expectFailure(getAll(store, ref), 'unavailable');
    expect(await valuesOf('read_bytes_total')).to.deep.equal({ '': 1110 });
    expect(await valuesOf('operations_total')).to.deep.equal({
      'operation="put",code="ok"': 1,
      'operation="get",code="ok"': 3,
      'operation="get",code="unavailable"': 1,
    });
  });

  it('tell how many uploads are under way, also across a change of whether it is measured', async () => {
    const [begun, ended] = [deferred(), deferred()];
    async function* body(): AsyncGenerator<Uint8Array> {
      yield makeObject('state', 100);
      begun.resolve();
      await ended.promise;
      throw new StoreError('canceled', 'gone');
    }
    const put = store.put(newRef('state'), body(), ctx);
    await begun.promise;
    expect(await valuesOf('uploads_in_flight')).to.deep.equal({ '': 1 });
    metrics.isActive = false;
    ended.resolve();
    await expectFailure(put, 'canceled');
    expect(await valuesOf('uploads_in_flight')).to.deep.equal({});
  });

  it('measure nothing as long as no one may ask, but reconnections', async () => {
    metrics.isActive = false;
    const ref = newRef('packfile');
    await putAll(store, ref, makeObject('packfile', 1000));
    await readAll(await store.get(ref, undefined, ctx));
    await listAll(store, 'packfile');
    metrics.observerOf('teams/blue').reconnected();
    for (const name of ['operations_total', 'read_bytes_total', 'written_bytes_total'])
      expect(await valuesOf(name), name).to.deep.equal({});
    expect(await valuesOf('reconnects_total')).to.deep.equal({ '': 1 });
  });
});
