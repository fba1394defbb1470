import { METHODS } from 'node:http';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { RequestObserver } from '../core/request.js';

/** Values that are looked up when metrics are read. */
export interface MetricSources {
  readonly connections: () => number;
  /** When the TLS certificate expires, in milliseconds since 1970-01-01 UTC; undefined without one. */
  readonly certificateExpiresMs: () => number | undefined;
  /** The bytes in stores with a quota, by name. */
  readonly usedBytes: () => ReadonlyMap<string, number>;
}

export interface Metrics {
  readonly meter: RequestObserver;
  readonly contentType: string;
  /** All metrics, in Prometheus' text format. */
  text(): Promise<string>;
  /** All metrics, in prom-client's own form. */
  values(): Promise<readonly object[]>;
}

/** From a read from memory to a packfile over a slow connection, in seconds. */
const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300];

/** The gateway's metrics, whose names start with `kloset_gateway_`, and prom-client's metrics of the process. */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  let collectsDefaults = false;
  const labelNames = ['protocol', 'method'] as const;
  const requests = new Counter({
    name: 'kloset_gateway_requests_total',
    help: 'Finished requests, by HTTP status or gRPC status.',
    labelNames: [...labelNames, 'status'],
    registers,
  });
  const seconds = new Histogram({
    name: 'kloset_gateway_request_seconds',
    help: 'Duration of requests.',
    labelNames,
    buckets,
    registers,
  });
  const received = new Counter({
    name: 'kloset_gateway_received_bytes_total',
    help: 'Bytes of received objects.',
    labelNames: ['protocol'],
    registers,
  });
  const sent = new Counter({
    name: 'kloset_gateway_sent_bytes_total',
    help: 'Bytes of sent objects and lists.',
    labelNames: ['protocol'],
    registers,
  });
  addGauges(sources, registers);
  // These have a cost, so they are collected only after metrics have been read once.
  const withDefaults = (): Registry => {
    if (!collectsDefaults) collectDefaultMetrics({ register: registry });
    collectsDefaults = true;
    return registry;
  };
  return {
    contentType: registry.contentType,
    text: () => withDefaults().metrics(),
    values: () => withDefaults().getMetricsAsJSON(),
    meter: {
      request: ({ protocol, method: named, status, ...bytes }, ms) => {
        // HTTP/2 allows arbitrary methods, and each one would be kept as a label.
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
    help: 'Open connections, of all listeners.',
    registers,
    collect() {
      this.set(connections());
    },
  });
  new Gauge({
    name: 'kloset_gateway_certificate_expiry_timestamp_seconds',
    help: 'When the TLS certificate expires, in seconds since 1970-01-01 UTC.',
    labelNames: ['use'],
    aggregator: 'min',
    registers,
    collect() {
      const ms = certificateExpiresMs();
      this.reset();
      // Absent without a certificate, so that no alert is triggered.
      if (ms !== undefined) this.set({ use: 'server' }, ms / 1000);
    },
  });
  new Gauge({
    name: 'kloset_gateway_store_used_bytes',
    help: 'Bytes of packfiles and states, for stores with a quota.',
    labelNames: ['store'],
    aggregator: 'max',
    registers,
    collect() {
      this.reset();
      for (const [store, bytes] of usedBytes()) this.set({ store }, bytes);
    },
  });
}
