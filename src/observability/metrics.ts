import { METHODS } from 'node:http';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { RequestObserver } from '../core/request.js';
import type { ProcessMetrics } from './process-metrics.js';

/** Values that are looked up when metrics are read. */
export interface MetricSources {
  readonly connections: () => number;
  /** When the TLS certificate expires, in milliseconds since 1970-01-01 UTC; undefined without one. */
  readonly certificateExpiresMs: () => number | undefined;
  /** The bytes in stores with a quota, by name. */
  readonly usedBytes: () => ReadonlyMap<string, number>;
  /** Entries that the audit log lost since the start, because its file couldn't be written. */
  readonly lostAuditEntries: () => number;
}

/** From a read from memory to a packfile over a slow connection, in seconds. */
const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300];

/** Adds the metrics of a process that serves to those that each process has, and returns what measures its requests. */
export function meteredRequests({ registry }: ProcessMetrics, sources: MetricSources): RequestObserver {
  const registers = [registry];
  const labelNames = ['protocol', 'method'] as const;
  const requests = new Counter({
    name: 'kloset_gateway_requests_total',
    help: 'Finished requests, by HTTP status or gRPC status.',
    labelNames: [...labelNames, 'status'],
    registers,
  });
  const seconds = new Histogram({
    name: 'kloset_gateway_request_duration_seconds',
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
  return {
    request: ({ protocol, method: named, status, ...bytes }, ms) => {
      // HTTP/2 allows arbitrary methods, and each one would be kept as a label.
      const method = protocol === 'grpc' || METHODS.includes(named) ? named : 'other';
      requests.inc({ protocol, method, status });
      seconds.observe({ protocol, method }, ms / 1000);
      received.inc({ protocol }, bytes.received);
      sent.inc({ protocol }, bytes.sent);
    },
  };
}

function addGauges(sources: MetricSources, registers: Registry[]): void {
  const { connections, certificateExpiresMs, usedBytes, lostAuditEntries } = sources;
  new Counter({
    name: 'kloset_gateway_audit_entries_lost_total',
    help: "Entries that are not in the audit log, because its file couldn't be written.",
    registers,
    collect() {
      this.reset();
      this.inc(lostAuditEntries());
    },
  });
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
