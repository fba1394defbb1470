import { METHODS } from 'node:http';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { RequestObserver, RequestRecord } from '../core/request.js';
import { addHistogram, Durations } from './durations.js';
import type { ProcessMetrics } from './process-metrics.js';

/** Values that are looked up when metrics are read. */
export interface MetricSources {
  readonly connections: () => number;
  /** When the TLS certificate expires, in milliseconds since 1970-01-01 UTC; undefined without one. */
  readonly certificateExpiresMs: () => number | undefined;
  /** Entries that the audit log lost since the start, because its file couldn't be written. */
  readonly lostAuditEntries: () => number;
}

const methods: ReadonlySet<string> = new Set(METHODS);

/** The finished requests of one method. */
interface MethodCounts {
  readonly protocol: string;
  readonly method: string;
  readonly durations: Durations;
  readonly byStatus: Map<number | string, number>;
  received: number;
  sent: number;
}

/** Adds the metrics of a process that serves to those that each process has, and returns what measures its requests. */
export function meteredRequests({ registry }: ProcessMetrics, sources: MetricSources): RequestObserver {
  const registers = [registry];
  // Plain numbers: a counter of prom-client looks its labels up each time, which a read of a small range notices.
  const methodCounts = new Map<string, MethodCounts>();
  const countsOf = (protocol: RequestRecord['protocol'], named: string): MethodCounts => {
    // HTTP/2 allows arbitrary methods, and each one would be kept as a label.
    const method = protocol === 'grpc' || methods.has(named) ? named : 'other';
    const present = methodCounts.get(method);
    if (present !== undefined) return present;
    const added = { protocol, method, durations: new Durations(), byStatus: new Map(), received: 0, sent: 0 };
    methodCounts.set(method, added);
    return added;
  };
  new Counter({
    name: 'kloset_gateway_requests_total',
    help: 'Finished requests, by HTTP status or gRPC status.',
    labelNames: ['protocol', 'method', 'status'],
    registers,
    collect() {
      this.reset();
      for (const { protocol, method, byStatus } of methodCounts.values()) {
        for (const [status, count] of byStatus) this.inc({ protocol, method, status }, count);
      }
    },
  });
  addHistogram(registry, { name: 'kloset_gateway_request_duration_seconds', help: 'Duration of requests.' }, () =>
    [...methodCounts.values()].map(({ protocol, method, durations }) => [{ protocol, method }, durations]),
  );
  for (const [direction, help] of [
    ['received', 'Bytes of received objects.'],
    ['sent', 'Bytes of sent objects and lists.'],
  ] as const) {
    new Counter({
      name: `kloset_gateway_${direction}_bytes_total`,
      help,
      labelNames: ['protocol'],
      registers,
      collect() {
        this.reset();
        for (const { protocol, [direction]: bytes } of methodCounts.values()) this.inc({ protocol }, bytes);
      },
    });
  }
  addGauges(sources, registers);
  return {
    request: ({ protocol, method, status, received, sent }, ms) => {
      const counts = countsOf(protocol, method);
      counts.byStatus.set(status, (counts.byStatus.get(status) ?? 0) + 1);
      counts.durations.observe(ms);
      counts.received += received;
      counts.sent += sent;
    },
  };
}

function addGauges(sources: MetricSources, registers: Registry[]): void {
  const { connections, certificateExpiresMs, lostAuditEntries } = sources;
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
}
