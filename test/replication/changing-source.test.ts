import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { hasCode } from '../../src/core/errors.js';
import type { Mac, ObjectRef } from '../../src/core/object.js';
import { copyStore } from '../../src/replication/copy.js';
import { ctx, listAll } from '../support/store.js';
import { HookedStore } from './support/hooked-store.js';

/** How many sources with different lives there are. */
const lives = 60;

/** How many states a source has in its life. */
const maxStates = 30;

/** What a state says: which packfiles there are, and which are there no longer. A backup also uses what earlier states say. */
interface State {
  readonly ref: ObjectRef;
  readonly has: readonly Mac[];
  readonly lacks: readonly Mac[];
}

/** A source that is backed up to and cleaned, as plakar does it, at any moment of a copy. */
class LivingSource {
  /** All that there ever were, in their order. */
  readonly states: State[] = [];
  /** States that a removal is about, and that weren't cleaned away yet. */
  private removed: State[] = [];

  constructor(
    readonly store: HookedStore,
    private readonly random: () => number,
  ) {}

  /** What was ever said to be gone. */
  get gone(): Set<Mac> {
    return new Set(this.states.flatMap(({ lacks }) => lacks));
  }

  /** Does something now and then, until the copy has had enough to do. */
  async live(): Promise<void> {
    if (this.states.length > maxStates) return;
    const what = this.random();
    if (what < 0.15) await this.backUp();
    else if (what < 0.25) await this.remove();
    else if (what < 0.35) await this.clean();
  }

  /** Packfiles are put before the state that has them. */
  async backUp(): Promise<void> {
    const has: Mac[] = [];
    for (let i = this.random() * 3; i > 0; i--) has.push((await this.store.add('packfile', 100)).mac);
    await this.put(has, []);
  }

  /** Puts a state that says that the packfiles of another one are gone. */
  private async remove(): Promise<void> {
    const kept = this.states.filter((state) => state.has.length > 0 && !this.removed.includes(state));
    const state = kept[Math.floor(this.random() * kept.length)];
    if (state === undefined) return;
    this.removed.push(state);
    await this.put([], state.has);
  }

  /** Deletes the packfiles and the state of a backup that was removed. */
  private async clean(): Promise<void> {
    const state = this.removed[Math.floor(this.random() * this.removed.length)];
    if (state === undefined) return;
    for (const mac of state.has) await this.store.remove({ kind: 'packfile', mac });
    if (this.random() < 0.5) await this.store.remove(state.ref);
  }

  private async put(has: readonly Mac[], lacks: readonly Mac[]): Promise<void> {
    const ref = await this.store.add('state', 100, this.states.length + 1);
    this.states.push({ ref, has, lacks });
  }
}

describe('a copy of a source that grows and shrinks meanwhile', () => {
  it(`is a good store at every moment, in ${lives} cases`, async () => {
    let puts = 0;
    let failures = 0;
    for (let life = 0; life < lives; life++) {
      const random = randomFrom(`life ${life}`);
      const source = new LivingSource(await HookedStore.create(), random);
      const destination = await HookedStore.create();
      for (let i = 0; i < 5; i++) await source.backUp();
      source.store.before = () => source.live();
      const problems: string[] = [];
      destination.before = async (operation) => {
        if (operation !== 'put') return;
        puts++;
        await source.live();
        problems.push(...(await problemsOf(destination, source)));
      };
      const copying = copyStore(source.store, destination, { jobs: 3, pauseMs: 1 }, ctx);
      const isDone = await copying.then(
        () => true,
        (error: unknown) => {
          if (!hasCode(error, 'unavailable')) throw error;
          return false;
        },
      );
      if (isDone) problems.push(...(await unexplained(destination, source)));
      else failures++;
      source.store.before = destination.before = () => undefined;
      await copyStore(source.store, destination, {}, ctx);
      problems.push(...(await problemsOf(destination, source)), ...(await unexplained(destination, source)));
      expect(problems, `life ${life}`).to.deep.equal([]);
      for (const kind of ['packfile', 'state'] as const)
        expect(await listAll(destination, kind)).to.include.members(await listAll(source.store, kind));
    }
    expect(puts).to.be.above(10 * lives);
    expect(failures).to.be.below(lives / 2);
  });
});

/** What makes a store unfit at the moment: packfiles that its snapshots need, and states that later ones refer to. */
async function problemsOf(store: HookedStore, source: LivingSource): Promise<string[]> {
  const packfiles = new Set(await listAll(store, 'packfile'));
  const states = new Set(await listAll(store, 'state'));
  const inSource = new Set(await listAll(source.store, 'state'));
  const last = source.states.findLastIndex(({ ref }) => states.has(ref.mac));
  const { gone } = source;
  return source.states.slice(0, last + 1).flatMap(({ ref: { mac }, has }, index) => {
    if (!states.has(mac)) return inSource.has(mac) ? [`lacks state ${index}`] : [];
    const lost = has.filter((each) => !gone.has(each) && !packfiles.has(each));
    return lost.map((each) => `lacks ${each} of state ${index}`);
  });
}

/** The packfiles that a store lacks although its own states say that they are there. */
async function unexplained(store: HookedStore, { states }: LivingSource): Promise<string[]> {
  const packfiles = new Set(await listAll(store, 'packfile'));
  const names = new Set(await listAll(store, 'state'));
  const known = states.filter(({ ref }) => names.has(ref.mac));
  const gone = new Set(known.flatMap(({ lacks }) => lacks));
  const lost = known.flatMap(({ has }) => has).filter((mac) => !gone.has(mac) && !packfiles.has(mac));
  return lost.map((mac) => `lacks ${mac}, which no state says is gone`);
}

/** Numbers from 0 to 1 that look random and are the same for the same seed. */
function randomFrom(seed: string): () => number {
  let digest = createHash('sha256').update(seed).digest();
  return () => {
    digest = createHash('sha256').update(digest).digest();
    return digest.readUInt32LE() / 2 ** 32;
  };
}
