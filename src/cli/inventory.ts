import { configFields, type ConfigFields } from '../core/config-fields.js';
import { ifPresent, StoreError } from '../core/errors.js';
import { readHeader } from '../core/read-header.js';
import { formatVersion, headerBytes } from '../core/serialized-object.js';
import type { OpenedStore } from '../backends/backend.js';
import { Tally } from '../replication/report.js';
import { addTo, present, trashed, type Arrived } from './contents.js';
import { findLocks, type FoundLock } from './lock-list.js';
import { timeText } from './object-text.js';
import type { StoreSubject } from './store-command.js';

/** How many of the largest objects are named. */
const largestCount = 10;

/** What a store has. */
export interface Inventory {
  readonly config: ConfigFields;
  /** The version of the format of the state that arrived last, as in `1.1`; undefined if there is none. */
  readonly format: string | undefined;
  readonly objects: Tally;
  /** The packfile or state that arrived first, and the one that did last. */
  readonly first: Arrived | undefined;
  readonly last: Arrived | undefined;
  /** By the month of arrival in UTC, as in `2026-11`, in their order. */
  readonly months: readonly (readonly [string, Tally])[];
  /** The largest first. */
  readonly largest: readonly Arrived[];
  readonly locks: readonly FoundLock[];
  readonly leftovers: Leftovers;
  /** How many bytes can still be written on its disk; undefined if unknown. */
  readonly freeBytes: number | undefined;
}

/** What a store keeps beside its objects. What can't be told is undefined: another gateway doesn't, or it isn't allowed to this user of a bucket. */
export interface Leftovers {
  readonly trash: Tally | undefined;
  /** Uploads that run, or that were cut off; in buckets, their bytes are unknown. */
  readonly unfinished: { readonly uploads: number; readonly bytes: number | undefined } | undefined;
  readonly digests: { readonly segments: number; readonly bytes: number } | undefined;
}

/** Takes stock of a store, in memory that doesn't grow with it. */
export async function takeStock(subject: StoreSubject): Promise<Inventory> {
  const { store, ctx } = subject;
  const config = configFields(await store.config(ctx));
  const stock = new Stock();
  for (const kind of ['packfile', 'state'] as const)
    for await (const object of present(subject, kind)) stock.add(object);
  const { objects, first, last, latestState, largest } = stock;
  return {
    config,
    format: latestState && (await formatOf(latestState, subject)),
    objects,
    first,
    last,
    months: stock.months,
    largest,
    locks: await findLocks(subject),
    leftovers: await leftoversOf(subject),
    freeBytes: await ifTold(store.freeBytes?.()),
  };
}

class Stock {
  readonly objects = new Tally();
  first: Arrived | undefined;
  last: Arrived | undefined;
  latestState: Arrived | undefined;
  readonly largest: Arrived[] = [];
  private readonly byMonth = new Map<string, Tally>();

  get months(): [string, Tally][] {
    return [...this.byMonth].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  add(object: Arrived): void {
    const { ref, arrivedMs } = object;
    addTo(this.objects, object);
    const month = timeText(arrivedMs).slice(0, 'yyyy-mm'.length);
    const tally = this.byMonth.get(month) ?? new Tally();
    addTo(tally, object);
    this.byMonth.set(month, tally);
    if (arrivedMs < (this.first?.arrivedMs ?? Infinity)) this.first = object;
    if (arrivedMs > (this.last?.arrivedMs ?? -Infinity)) this.last = object;
    if (ref.kind === 'state' && arrivedMs > (this.latestState?.arrivedMs ?? -Infinity)) this.latestState = object;
    this.addLargest(object);
  }

  private addLargest(object: Arrived): void {
    const { largest } = this;
    const smallest = largest.at(-1);
    if (largest.length === largestCount && smallest !== undefined && object.size <= smallest.size) return;
    const at = largest.findIndex(({ size }) => size < object.size);
    largest.splice(at < 0 ? largest.length : at, 0, object);
    if (largest.length > largestCount) largest.pop();
  }
}

async function formatOf({ ref }: Arrived, { store, ctx }: StoreSubject): Promise<string | undefined> {
  const found = await ifPresent(readHeader(store, ref, ctx));
  return found !== undefined && found.header.length === headerBytes ? formatVersion(found.header) : undefined;
}

async function leftoversOf(subject: StoreSubject): Promise<Leftovers> {
  const { store, ctx } = subject;
  const segments = await ifTold(store.digests?.list(ctx));
  return {
    trash: await ifTold(trashOf(subject)),
    unfinished: await ifTold(unfinishedIn(store)),
    digests: segments && {
      segments: segments.length,
      bytes: segments.reduce((sum, { size }) => sum + size, 0),
    },
  };
}

async function trashOf(subject: StoreSubject): Promise<Tally | undefined> {
  const { trash } = subject.store;
  if (trash === undefined) return undefined;
  const tally = new Tally();
  for await (const object of trashed({ ...subject, trash })) addTo(tally, object);
  return tally;
}

async function unfinishedIn(store: OpenedStore): Promise<Leftovers['unfinished']> {
  if (store.unfinished === undefined) return undefined;
  let uploads = 0;
  let bytes: number | undefined = 0;
  for await (const { size } of store.unfinished()) {
    uploads++;
    bytes = size === undefined || bytes === undefined ? undefined : bytes + size;
  }
  return { uploads, bytes };
}

/** What an answer about something that isn't essential is; undefined where the store refuses one. */
async function ifTold<T>(answer: Promise<T> | undefined): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof StoreError) return undefined;
    throw error;
  }
}
