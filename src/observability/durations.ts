import type { Metric, Registry } from 'prom-client';

/** From a read from memory to a packfile over a slow connection, in seconds. */
const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300];

/** The durations of one kind of work. */
export class Durations {
  /** How many are in each bucket, but not in the one before; those beyond the last are in none. */
  private readonly counts = buckets.map(() => 0);
  private count = 0;
  private seconds = 0;

  /** @param ms in milliseconds */
  observe(ms: number): void {
    const seconds = ms / 1000;
    this.count++;
    this.seconds += seconds;
    const bucket = buckets.findIndex((bound) => seconds <= bound);
    if (bucket >= 0) this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
  }

  /** As the samples of a Prometheus histogram. */
  *samples(name: string, labels: Labels): Generator<Sample, void, undefined> {
    let below = 0;
    for (const [index, bound] of buckets.entries()) {
      below += this.counts[index] ?? 0;
      yield { metricName: `${name}_bucket`, labels: { ...labels, le: bound }, value: below };
    }
    yield { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: this.count };
    yield { metricName: `${name}_sum`, labels, value: this.seconds };
    yield { metricName: `${name}_count`, labels, value: this.count };
  }
}

type Labels = Readonly<Record<string, string | number>>;

interface Sample {
  readonly metricName: string;
  readonly labels: Labels;
  readonly value: number;
}

/**
 * Adds a histogram whose values are counted in plain numbers: prom-client's own looks its labels up at every observation, which a read of a
 * small range notices.
 *
 * A registry takes whatever has a name and a `get`; its type lists only the library's classes.
 */
export function addHistogram(
  registry: Registry,
  { name, help }: { readonly name: string; readonly help: string },
  current: () => Iterable<readonly [Labels, Durations]>,
): void {
  const type = 'histogram';
  const aggregator = 'sum';
  const get = async (): Promise<object> => {
    const values = [...current()].flatMap(([labels, durations]) => [...durations.samples(name, labels)]);
    return { name, help, type, aggregator, values };
  };
  registry.registerMetric({ name, help, type, aggregator, get } as unknown as Metric);
}
