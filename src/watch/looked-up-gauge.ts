import { Gauge, type Registry } from 'prom-client';

/** Sets a value of a gauge; one that is undefined is absent. */
export type SetValue<L extends string> = (labels: Partial<Record<L, string>>, value: number | undefined) => void;

/** Adds a gauge whose values are looked up when metrics are read. Those that are undefined are absent, so that no alert is triggered. */
export function addGauge<L extends string>(
  registry: Registry,
  { name, help, labelNames }: { readonly name: string; readonly help: string; readonly labelNames: readonly L[] },
  collect: (set: SetValue<L>) => void,
): void {
  new Gauge<L>({
    name,
    help,
    labelNames,
    registers: [registry],
    collect() {
      this.reset();
      collect((labels, value) => {
        if (value !== undefined) this.set(labels as Record<L, string>, value);
      });
    },
  });
}
