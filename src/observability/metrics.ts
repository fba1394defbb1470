import { METHODS } from 'node:http';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { RequestObserver } from '../core/request.js';

/** What is looked up when somebody asks. */
export interface MetricSources {
  readonly connections: () => number;
  /** When the TLS certificate ends, in milliseconds since 1970-01-01 UTC; undefined without one. */
  readonly certificateExpiresMs: () => number | undefined;
  /** Bytes of the stores with a quota, by name. */
  readonly usedBytes: () => ReadonlyMap<string, number>;
}

export interface Metrics {
  readonly meter: RequestObserver;
  readonly contentType: string;
  /** All of them, in Prometheus' text format. */
  text(): Promise<string>;
  /** All of them, in prom-client's own form. */
  values(): Promise<readonly object[]>;
}

/** From a read out of memory to a packfile over a slow line, in seconds. */
const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300];

/** What the gateway counts and measures, under names that start with `kloset_gateway_`, and what prom-client tells of the process. */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  let watching = false;
  const labelNames = ['protocol', 'method'] as const;
  const requests = new Counter({
    name: 'kloset_gateway_requests_total',
    help: 'Requests that have ended, by HTTP status or gRPC status.',
    labelNames: [...labelNames, 'status'],
    registers,
  });
  const seconds = new Histogram({
    name: 'kloset_gateway_request_seconds',
    help: 'How long requests took.',
    labelNames,
    buckets,
    registers,
  });
  const received = new Counter({
    name: 'kloset_gateway_received_bytes_total',
    help: 'Bytes of objects that came in.',
    labelNames: ['protocol'],
    registers,
  });
  const sent = new Counter({
    name: 'kloset_gateway_sent_bytes_total',
    help: 'Bytes of objects and lists that went out.',
    labelNames: ['protocol'],
    registers,
  });
  addGauges(sources, registers);
  // Watching the process costs something, so that begins when somebody asks.
  const asked = (): Registry => {
    if (!watching) collectDefaultMetrics({ register: registry });
    watching = true;
    return registry;
  };
  return {
    contentType: registry.contentType,
    text: () => asked().metrics(),
    values: () => asked().getMetricsAsJSON(),
    meter: {
      request: ({ protocol, method: named, status, ...bytes }, ms) => {
        // Over HTTP/2 a client may call it what it likes, and each name would be kept for good.
        const method = protocol === 'grpc' || METHODS.includes(named) ? named : 'other';
        requests.inc({ protocol, method, status });
        seconds.observe({ protocol, method }, ms / 1000);
        received.inc({ protocol }, bytes.received);
        sent.inc({ protocol }, bytes.sent);
      },
    },
  };
}

function addGauges({ connections, certificateExpiresMs, usedBytes }: MetricSources, registers: Registry[]): void {
  new Gauge({
    name: 'kloset_gateway_connections',
    help: 'Connections that are open, of all listeners.',
    registers,
    collect() {
      this.set(connections());
    },
  });
  new Gauge({
    name: 'kloset_gateway_certificate_expiry_timestamp_seconds',
    help: 'When the TLS certificate ends, in seconds since 1970-01-01 UTC.',
    labelNames: ['use'],
    aggregator: 'min',
    registers,
    collect() {
      const ms = certificateExpiresMs();
      this.reset();
      // Absent without one, so that no alarm goes off.
      if (ms !== undefined) this.set({ use: 'server' }, ms / 1000);
    },
  });
  new Gauge({
    name: 'kloset_gateway_store_used_bytes',
    help: 'Bytes of packfiles and states, of stores with a quota.',
    labelNames: ['store'],
    aggregator: 'max',
    registers,
    collect() {
      this.reset();
      for (const [store, bytes] of usedBytes()) this.set({ store }, bytes);
    },
  });
}
