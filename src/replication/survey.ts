import { ifPresent } from '../core/errors.js';
import { MacBatch } from '../core/mac-batch.js';
import { MacSet } from '../core/mac-set.js';
import type { Mac } from '../core/object.js';
import type { OpContext, Store } from '../core/store.js';
import { forEachAhead } from '../lib/for-each-ahead.js';
import { inBatches } from '../lib/in-batches.js';
import type { Pair } from './failures.js';
import type { CopiedKind } from './report.js';

/** How many objects are asked for their sizes at once: over 30 ms of delay a thousand in a second. */
const statConcurrency = 32;

/** How many objects of a list with sizes are looked at together. */
const batchSize = 4096;

/** What a copy of one kind has to do. Names only: there may be a million objects. */
export interface Survey {
  /** What the destination lacks, the oldest first. */
  readonly missing: readonly Mac[];
  readonly missingBytes: number;
  /** What both have. */
  readonly present: readonly MacBatch[];
}

/** The same of both kinds. */
export interface Surveys extends Readonly<Record<CopiedKind, Survey>> {
  /** Whether packfiles that the destination lacks were deleted meanwhile: what the states say of them may not be in this list of states. */
  readonly hasShrunk: boolean;
}

/**
 * Compares what two stores have, by their lists. The source's packfiles are listed before and after its states. What is in the second list only
 * may be needed by these states; what is in the first one only was deleted meanwhile, after a state was put that says so.
 */
export async function survey({ source, destination }: Pair, ctx: OpContext): Promise<Surveys> {
  const statesThere = await namesIn(destination, 'state', ctx);
  const packfilesThere = await namesIn(destination, 'packfile', ctx);
  const before = await namesIn(source, 'packfile', ctx, packfilesThere);
  const state = await compared(source, 'state', statesThere, ctx);
  const packfile = await compared(source, 'packfile', packfilesThere, ctx);
  for (const mac of packfile.missing) before.delete(mac);
  return { packfile, state, hasShrunk: before.size > 0 };
}

/** What a store has, apart from what is somewhere else. */
async function namesIn(store: Store, kind: CopiedKind, ctx: OpContext, elsewhere?: MacSet): Promise<MacSet> {
  const names = new MacSet();
  for await (const batch of store.list(kind, ctx))
    for (const mac of batch) if (elsewhere?.has(mac) !== true) names.add(mac);
  return names;
}

async function compared(source: Store, kind: CopiedKind, there: MacSet, ctx: OpContext): Promise<Survey> {
  const missing: Missing[] = [];
  const present: MacBatch[] = [];
  for await (const objects of listed(source, kind, ctx)) {
    const both: Mac[] = [];
    for (const object of objects) {
      if (there.has(object.mac)) both.push(object.mac);
      else missing.push(object);
    }
    if (both.length > 0) present.push(MacBatch.of(both));
  }
  if (source.listStats === undefined) await askForStats(missing, source, kind, ctx);
  missing.sort((a, b) => a.modifiedMs - b.modifiedMs);
  const missingBytes = missing.reduce((sum, { size }) => sum + size, 0);
  return { missing: missing.map(({ mac }) => mac), missingBytes, present };
}

/** An object that the destination may lack, with zeros for what isn't known of it. */
interface Missing {
  readonly mac: Mac;
  size: number;
  modifiedMs: number;
}

/** The source's objects in batches, with their sizes and times where lists tell them. */
async function* listed(store: Store, kind: CopiedKind, ctx: OpContext): AsyncGenerator<Missing[], void, undefined> {
  if (store.listStats === undefined) {
    for await (const batch of store.list(kind, ctx))
      yield Array.from(batch, (mac) => ({ mac, size: 0, modifiedMs: 0 }));
    return;
  }
  for await (const objects of inBatches(store.listStats(kind, ctx), batchSize))
    yield objects.map(({ mac, size, modifiedMs }) => ({ mac, size, modifiedMs }));
}

/** Asks for what lists don't tell. What was deleted meanwhile is left as it is: the copy finds out. */
async function askForStats(
  objects: readonly Missing[],
  source: Store,
  kind: CopiedKind,
  ctx: OpContext,
): Promise<void> {
  await forEachAhead(objects, statConcurrency, async (object) => {
    ctx.signal.throwIfAborted();
    const stat = await ifPresent(source.stat({ kind, mac: object.mac }, ctx));
    if (stat !== undefined) Object.assign(object, { size: stat.size, modifiedMs: stat.modifiedMs });
  });
}
