import { AggregatorRegistry, Counter, Gauge, Registry } from 'prom-client';
import { version } from '../lib/package-info.js';
import { addNodeMetrics } from './node-metrics.js';

/** Metrics that each process of a gateway has: about itself, and about what it runs. */
export class ProcessMetrics {
  readonly registry = new Registry();
  readonly failedReloads = new Counter({
    name: 'kloset_gateway_config_reload_failures_total',
    help: 'Reloads of the configuration that failed, so that the previous one stayed active.',
    registers: [this.registry],
  });
  private readonly buildInfo = new Gauge({
    name: 'kloset_gateway_build_info',
    help: "The gateway's version, and its name among its replicas; always 1.",
    labelNames: ['version', 'replica'],
    aggregator: 'first',
    registers: [this.registry],
  });
  private collects = false;

  /** @param instance the gateway's name among its replicas. Its label is `replica`, since Prometheus sets `instance` to the target's address. */
  constructor(instance: string) {
    this.setInstance(instance);
  }

  setInstance(instance: string): void {
    this.buildInfo.reset();
    this.buildInfo.set({ version, replica: instance }, 1);
  }

  /** Starts to measure the process, which has a small cost. */
  start(): void {
    if (this.collects) return;
    this.collects = true;
    addNodeMetrics(this.registry);
  }
}

/** The metrics of several processes of one gateway as one, in Prometheus' text format. The sum of each, but for those that say otherwise. */
export async function aggregated(primary: ProcessMetrics, workers: readonly (readonly object[])[]): Promise<string> {
  const own = await primary.registry.getMetricsAsJSON();
  return AggregatorRegistry.aggregate([own, ...workers.map((each) => [...each])]).metrics();
}
