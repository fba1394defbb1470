import { randomBytes } from 'node:crypto';
import { nameOfHost } from '../lib/name-of-host.js';
import type { ObjectRef } from './object.js';
import type { OpContext } from './store.js';

/** What digests can be made with. */
export const digestAlgorithms = ['sha256'] as const;

export type DigestAlgorithm = (typeof digestAlgorithms)[number];

/** What an object's bytes are known by. */
export interface Digest {
  /** In bytes. */
  readonly size: number;
  /** 32 bytes. */
  readonly sha256: Buffer;
}

export interface RecordedDigest extends ObjectRef, Digest {
  /** When it was recorded, by the clock of the gateway that did, in milliseconds since 1970-01-01 UTC. */
  readonly recordedMs: number;
}

/** How a digest came about. */
export interface Recording {
  /** Whether the object was read in the store, where it may have been damaged before. */
  readonly seen: boolean;
}

/** Where digests are recorded. Fails with StoreErrors. */
export interface DigestRecorder {
  /** Resolves when the digest of an object that is stored is certain to stay. Default: as of the bytes that a client has put. */
  record(ref: ObjectRef, digest: Digest, how?: Recording): Promise<void>;

  /**
   * The same for the intention to delete an object: that it is missing afterwards is no damage. If this fails, the recorder tries again later,
   * as long as the process runs.
   */
  recordDelete(ref: ObjectRef): Promise<void>;

  /** Waits for what is being recorded. Never fails; nothing may be recorded after it. */
  close(): Promise<void>;
}

/**
 * Where a store keeps its segments, files of digests. A segment belongs to the process that creates it, which appends to it, and is never
 * changed afterwards. Clients don't see them. Operations fail with StoreErrors only.
 */
export interface DigestStorage {
  /** Whether what was appended survives a power cut. */
  readonly isDurable: boolean;

  /** From how many bytes on a segment is full, so that another one has to be begun. */
  readonly maxSegmentBytes: number;

  /** All segments, by their names, so that those that were begun earlier come first. Foreign names are skipped. */
  list(ctx: OpContext): Promise<readonly SegmentInfo[]>;

  /** The bytes of a segment, as far as it was written when this began. `not_found`. A chunk is valid until the next one is requested. */
  read(name: string, ctx: OpContext, options?: SegmentReadOptions): AsyncIterable<Uint8Array>;

  /** Creates a segment, which must not exist. Its name is certain to stay when this resolves. */
  create(name: string): Promise<SegmentAppender>;
}

export interface SegmentInfo {
  readonly name: string;
  /** How many bytes it has; more may be appended at any time. */
  readonly size: number;
}

export interface SegmentReadOptions {
  /** The offset of the first byte. Default: 0. */
  readonly from?: number;
  /** Whether the bytes, which another process may have appended just now, have to be certain to stay. Default: false. */
  readonly synced?: boolean;
}

export interface SegmentAppender {
  /** Resolves when the bytes are certain to stay. One call at a time. After a failure nothing may be appended. */
  append(bytes: Uint8Array): Promise<void>;

  close(): Promise<void>;
}

const segmentName = /^\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}Z\.[A-Za-z0-9-]+\.[0-9a-f]{16}$/;

/** A new name for a segment that a process of a host begins. @param nowMs in milliseconds since 1970-01-01 UTC */
export function newSegmentName(host: string, nowMs: number): string {
  const start = new Date(nowMs).toISOString().slice(0, 'yyyy-mm-ddThh:mm:ss'.length).replaceAll(':', '-');
  return `${start}Z.${nameOfHost(host)}.${randomBytes(8).toString('hex')}`;
}

/** Whether a name is a segment's. */
export function isSegmentName(name: string): boolean {
  return segmentName.test(name);
}
