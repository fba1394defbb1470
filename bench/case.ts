import type { Bench } from './bench.js';
import type { Outcome } from './driver.js';

/** The processes whose CPU time and memory are measured: this one, its descendants, and those with the tag in their environment. */
export interface Measured {
  readonly pid: number;
  readonly tag: string;
}

/** One of the servers, or clients, that a case compares. */
export interface Contestant {
  readonly name: string;
  /** None: CPU time and memory aren't measured. It is called after `before`, which may start a new server. */
  readonly server?: () => Measured;
  /** Runs before each run, unmeasured. */
  readonly before?: () => Promise<void>;
  /** Does one run. Within a round, the requests are the same for all contestants. Round 0 is the warm-up. */
  readonly run: (round: number) => Promise<Outcome>;
  /** Runs after each run, unmeasured. */
  readonly after?: () => Promise<unknown>;
}

/** Contestants that do the same work, in turns. */
export interface Case {
  readonly name: string;
  readonly contestants: readonly Contestant[];
}

/** Describes a case, before anything is started for it. */
export interface Spec {
  readonly name: string;
}

/** Cases that share servers and stores. */
export interface Suite {
  readonly specs: readonly Spec[];
  /** Sets up, yields the wanted cases one by one, and cleans up. */
  readonly cases: (bench: Bench, wanted: (spec: Spec) => boolean) => AsyncGenerator<Case>;
}

/** Makes a suite from specs with properties of their own. */
export function suite<S extends Spec>(
  specs: readonly S[],
  open: (bench: Bench, specs: readonly S[]) => AsyncGenerator<Case>,
): Suite {
  return { specs, cases: (bench, wanted) => open(bench, specs.filter(wanted)) };
}

/** Groups values by a key, in the order in which the keys first occur. */
export function groupBy<T, K>(values: readonly T[], keyOf: (value: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const value of values) groups.set(keyOf(value), [...(groups.get(keyOf(value)) ?? []), value]);
  return groups;
}
