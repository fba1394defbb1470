import type { AuditEntry, AuditSink } from './audit.js';

/** What one caller has read of one store within a span of time. */
export interface ReadTotal {
  /** The store's name; empty for the default one. */
  readonly store: string;
  /** The principal's name, or `anonymous`. */
  readonly principal: string;
  /** The caller's IP address, or `unix socket`. */
  readonly address: string;
  /** How many objects or ranges of objects. */
  readonly reads: number;
  readonly bytes: number;
  /** When the last one began, in milliseconds since 1970-01-01 UTC. */
  readonly lastMs: number;
}

/** How many requests ended within a span of time, and the bytes of their objects and lists. */
export interface Traffic {
  readonly requests: number;
  readonly received: number;
  readonly sent: number;
}

/** What callers did in a short span of time, in one of the gateway's processes. Plain data, which is sent between processes. */
export interface Activity {
  /** The writes, deletes and refusals, in their order. */
  readonly entries: readonly AuditEntry[];
  readonly reads: readonly ReadTotal[];
  readonly traffic: Traffic;
}

/** Takes what callers do: writes, deletes and refusals one by one, reads as totals. */
export interface ActivitySink extends AuditSink {
  /** Counts a read of an object, or of a range. Never fails and never waits. */
  read(store: string, principal: string, address: string, bytes: number): void;
}
