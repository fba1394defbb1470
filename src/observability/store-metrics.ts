import { Counter, Gauge } from 'prom-client';
import type { ErrorCode } from '../core/errors.js';
import { storeOperations, type StoreObserver, type StoreOperation } from '../core/store-observer.js';
import { addHistogram, Durations } from './durations.js';
import type { ProcessMetrics } from './process-metrics.js';

/** The metrics of what this process does with its stores. */
export class StoreMetrics {
  /** Measuring costs some microseconds for each operation, so it is done only if someone may ask. */
  isActive = false;
  private readonly stores = new Map<string, MeteredStore>();

  /** Adds them to those that each process has. */
  constructor({ registry }: ProcessMetrics) {
    const registers = [registry];
    const { stores } = this;
    new Counter({
      name: 'kloset_gateway_store_operations_total',
      help: "Operations of the stores' backends that ended, by operation and outcome: ok, or the code of the error.",
      labelNames: ['store', 'operation', 'code'],
      registers,
      collect() {
        this.reset();
        for (const [store, { operations }] of stores) {
          for (const operation of storeOperations) {
            for (const [code, count] of operations[operation]) this.inc({ store, operation, code }, count);
          }
        }
      },
    });
    const help =
      'Duration of operations of backends: of get, until the first bytes are there; of put, as long as the upload takes to arrive.';
    addHistogram(registry, { name: 'kloset_gateway_store_operation_duration_seconds', help }, () =>
      [...stores].flatMap(([store, { durations }]) =>
        storeOperations.map((operation) => [{ store, operation }, durations[operation]] as const),
      ),
    );
    const counts = {
      store_read_bytes: ['Bytes of objects that were read from backends.', (store: MeteredStore) => store.readBytes],
      store_written_bytes: ['Bytes of uploads that backends took.', (store: MeteredStore) => store.writtenBytes],
      store_reconnects: [
        "Times that a store's server was connected to anew.",
        (store: MeteredStore) => store.reconnects,
      ],
      retention_refusals: [
        'Deletes that were refused since the packfile or state has to be kept for longer.',
        (store: MeteredStore) => store.retentionRefusals,
      ],
      mirror_reads: [
        "Reads of packfiles and states that were answered from the store's mirror, or the rest of them, since the store couldn't.",
        (store: MeteredStore) => store.mirrorReads,
      ],
    } as const;
    for (const [name, [help, count]] of Object.entries(counts)) {
      new Counter({
        name: `kloset_gateway_${name}_total`,
        help,
        labelNames: ['store'],
        registers,
        collect() {
          this.reset();
          for (const [store, metered] of stores) this.inc({ store }, count(metered));
        },
      });
    }
    new Gauge({
      name: 'kloset_gateway_store_uploads_in_flight',
      help: 'Uploads that backends are taking.',
      labelNames: ['store'],
      registers,
      collect() {
        for (const [store, { uploadsInFlight }] of stores) this.set({ store }, uploadsInFlight);
      },
    });
  }

  /** What measures the store of a name: the same one each time, as counts only rise. */
  observerOf(name: string): StoreObserver {
    const present = this.stores.get(name);
    if (present !== undefined) return present;
    const added = new MeteredStore(() => this.isActive);
    this.stores.set(name, added);
    return added;
  }
}

/** Counts in plain numbers, which cost a tenth of what counters with labels do. */
class MeteredStore implements StoreObserver {
  readonly operations = perOperation(() => new Map<ErrorCode | 'ok', number>([['ok', 0]]));
  readonly durations = perOperation(() => new Durations());
  readBytes = 0;
  writtenBytes = 0;
  uploadsInFlight = 0;
  reconnects = 0;
  retentionRefusals = 0;
  mirrorReads = 0;

  constructor(private readonly isMetered: () => boolean) {}

  get isActive(): boolean {
    return this.isMetered();
  }

  operation(name: StoreOperation, code: ErrorCode | 'ok', ms: number): void {
    const counts = this.operations[name];
    counts.set(code, (counts.get(code) ?? 0) + 1);
    this.durations[name].observe(ms);
  }

  read(bytes: number): void {
    this.readBytes += bytes;
  }

  written(bytes: number): void {
    this.writtenBytes += bytes;
  }

  uploads(change: 1 | -1): void {
    this.uploadsInFlight += change;
  }

  reconnected(): void {
    this.reconnects++;
  }

  retained(): void {
    this.retentionRefusals++;
  }

  readFromMirror(): void {
    this.mirrorReads++;
  }
}

function perOperation<T>(make: (operation: StoreOperation) => T): Readonly<Record<StoreOperation, T>> {
  return Object.fromEntries(storeOperations.map((each) => [each, make(each)])) as Record<StoreOperation, T>;
}
