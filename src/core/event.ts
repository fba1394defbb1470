/** What people can be told of. */
export const eventNames = [
  'overdue',
  'back-on-time',
  'backup-failed',
  'removal',
  'deletion',
  'unusual-backup',
  'delete-refused',
  'disk-nearly-full',
  'certificate-expiring',
  'store-unreachable',
  'store-reachable',
  'mirror-behind',
  'mirror-caught-up',
  'read-from-mirror',
  'damage-found',
  'test',
] as const;

export type EventName = (typeof eventNames)[number];

/** Something that people want to be told of. Plain data: the body of webhooks. */
export interface WatchEvent {
  /** Unique, so that a receiver can tell a repetition. */
  readonly id: string;
  readonly event: EventName;
  /** When it happened: ISO 8601, UTC. */
  readonly time: string;
  /** The store's name, if it is about one; empty for the default one. */
  readonly store?: string;
  readonly principal?: string;
  /** A sentence for people. */
  readonly text: string;
}

/** What a service that waits for backups is pinged with. */
export interface Ping {
  readonly store: string;
  readonly principal: string;
  readonly signal: 'start' | 'success' | 'fail';
}
