import type { Config } from '../config/types.js';
import type { RequestObserver } from '../core/request.js';
import type { StoreObserver } from '../core/store-observer.js';
import type { AuditLog } from '../observability/audit-log.js';
import { meteredRequests, type MetricSources } from '../observability/metrics.js';
import type { ProcessMetrics } from '../observability/process-metrics.js';
import { StoreMetrics } from '../observability/store-metrics.js';

/** Measures the requests and stores of a serving process. That has a small cost for each request, so it is done only if there is a listener that tells of it. */
export class Metering {
  readonly requests: RequestObserver;
  private readonly stores: StoreMetrics;
  private isActive = false;
  private auditLog: AuditLog | undefined;
  /** Entries of audit logs that are no longer in use. */
  private lostAuditEntries = 0;

  constructor(
    private readonly process: ProcessMetrics,
    sources: Omit<MetricSources, 'lostAuditEntries'>,
  ) {
    this.stores = new StoreMetrics(process);
    const lostAuditEntries = (): number => this.lostAuditEntries + (this.auditLog?.lost ?? 0);
    const metered = meteredRequests(process, { ...sources, lostAuditEntries });
    this.requests = {
      request: (record, ms) => {
        if (this.isActive) metered.request(record, ms);
      },
    };
  }

  configure({ instance, listeners }: Config, auditLog: AuditLog | undefined): void {
    if (auditLog !== this.auditLog) this.lostAuditEntries += this.auditLog?.lost ?? 0;
    this.auditLog = auditLog;
    this.process.setInstance(instance);
    this.isActive = listeners.some(({ protocol }) => protocol === 'admin');
    if (this.isActive) this.process.start();
    this.stores.isActive = this.isActive;
  }

  /** What measures the store of a name. */
  observerOf(name: string): StoreObserver {
    return this.stores.observerOf(name);
  }
}
