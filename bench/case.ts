import type { Bench } from './bench.js';
import type { Outcome } from './driver.js';

/** What is measured while a contestant runs: its server. */
export interface Measured {
  readonly pid: number;
  readonly tag: string;
}

/** One of those that are compared in a case. */
export interface Contestant {
  readonly name: string;
  /** None: its CPU and memory aren't measured. A function, since it may be another one after `before`. */
  readonly server?: () => Measured;
  /** Comes before each run, and isn't measured. */
  readonly before?: () => Promise<void>;
  /** One run. In the same round the requests are the same for all. Round 0 warms up. */
  readonly run: (round: number) => Promise<Outcome>;
  /** Comes after each run, and isn't measured. */
  readonly after?: () => Promise<unknown>;
}

/** Contestants that do the same, in turns. */
export interface Case {
  readonly name: string;
  readonly contestants: readonly Contestant[];
}

/** A case by name, before anything is started for it. */
export interface Spec {
  readonly name: string;
  /** Whether the short mode has it. */
  readonly short: boolean;
}

/** Cases that share their servers and stores. */
export interface Suite {
  readonly specs: readonly Spec[];
  /** Sets up, yields the cases that are wanted one by one, and cleans up. */
  readonly cases: (bench: Bench, wanted: (spec: Spec) => boolean) => AsyncGenerator<Case>;
}

/** Makes a suite of specs that carry more than a name. */
export function suite<S extends Spec>(
  specs: readonly S[],
  open: (bench: Bench, specs: readonly S[]) => AsyncGenerator<Case>,
): Suite {
  return { specs, cases: (bench, wanted) => open(bench, specs.filter(wanted)) };
}
