import { readdirSync, readFileSync } from 'node:fs';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { cpuUsage, memoryUsage, version } from 'node:process';
import { Counter, Gauge, type Registry } from 'prom-client';

/** How often the event loop's delay is measured, in milliseconds. */
const resolution = 20;

/**
 * Adds metrics of the process, under the names that Prometheus' clients use for them, and of Node, under prom-client's names.
 *
 * These are not prom-client's own (`collectDefaultMetrics`), which observe each garbage collection and can't do without: that takes 5 % of
 * the time of a small read.
 */
export function addNodeMetrics(registry: Registry): void {
  const registers = [registry];
  const gauge = (
    name: string,
    help: string,
    value: () => number | undefined,
    aggregator: 'sum' | 'min' | 'max',
  ): void =>
    void new Gauge({
      name,
      help,
      aggregator,
      registers,
      collect() {
        const now = value();
        if (now !== undefined) this.set(now);
      },
    });
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time that the process has used, in seconds.',
    registers,
    collect() {
      const { user, system } = cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  gauge(
    'process_start_time_seconds',
    'When the process started, in seconds since 1970-01-01 UTC.',
    () => Math.round(performance.timeOrigin / 1000),
    'min',
  );
  gauge('process_resident_memory_bytes', 'Resident memory.', () => memoryUsage.rss(), 'sum');
  gauge('process_open_fds', 'Open file descriptors.', openFiles, 'sum');
  gauge('process_max_fds', 'The limit of open file descriptors.', maxOpenFiles, 'sum');
  gauge('nodejs_heap_size_used_bytes', "JavaScript's heap that is in use.", () => memoryUsage().heapUsed, 'sum');
  gauge('nodejs_external_memory_bytes', 'Memory of buffers, outside the heap.', () => memoryUsage().external, 'sum');
  const delay = monitorEventLoopDelay({ resolution });
  delay.enable();
  const lag = (percentile: number): number => Math.max(delay.percentile(percentile) / 1e9 - resolution / 1000, 0);
  gauge(
    'nodejs_eventloop_lag_p50_seconds',
    "The median of the event loop's delay since the last time.",
    () => lag(50),
    'max',
  );
  gauge(
    'nodejs_eventloop_lag_p99_seconds',
    "The 99th percentile of the event loop's delay since the last time.",
    () => {
      const now = lag(99);
      delay.reset();
      return now;
    },
    'max',
  );
  new Gauge({
    name: 'nodejs_version_info',
    help: "Node's version; always 1.",
    labelNames: ['version'],
    aggregator: 'first',
    registers,
  }).set({ version }, 1);
}

/** Undefined on systems other than Linux. */
function openFiles(): number | undefined {
  try {
    // Without the one that lists them.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return undefined;
  }
}

/** Undefined on systems other than Linux, and where there is no limit. */
function maxOpenFiles(): number | undefined {
  try {
    const [, soft] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}
