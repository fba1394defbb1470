import { createHash, timingSafeEqual, type Hash } from 'node:crypto';
import { StoreError } from '../core/errors.js';
import { macToBytes, type ObjectRef } from '../core/object.js';
import { checkHeader, formatVersion, headerBytes, minObjectBytes, trailerBytes } from '../core/serialized-object.js';
import type { IncrementalHash, NewMac } from './object-mac.js';

/** What is wrong with an object, as far as its own bytes tell. */
export interface Fault {
  readonly problem: 'size' | 'header' | 'mac' | 'name';
  /** Completes "the object …". */
  readonly text: string;
}

/** An object's bytes, as they were read. */
export interface Reading {
  /** In bytes. */
  readonly size: number;
  readonly sha256: Buffer;
  /** The SHA-256 of as many bytes of its start as were asked for; undefined if it has fewer. */
  readonly startSha256: Buffer | undefined;
  readonly fault: Fault | undefined;
  /** Whether its MAC was computed, and is the one at its end. */
  readonly hasValidMac: boolean;
  /** Whether, besides, its name was computed of its bytes. */
  readonly hasValidName: boolean;
}

/** plakar 1.1 names packfiles by the MAC of what is between their header and their own MAC. Later versions may not. */
const versionWithNames = '1.1';

export interface ProbeOptions {
  /** In bytes. */
  readonly objectSize: number;
  /** Undefined: MACs aren't checked. */
  readonly newMac?: NewMac | undefined;
  /** How many bytes of its start are digested by themselves. */
  readonly startBytes?: number | undefined;
}

/** Takes the bytes of one object, in order, and says at the end what is wrong with them. Keeps none of them. */
export class ObjectProbe {
  private size = 0;
  private readonly sha256 = createHash('sha256');
  private start: Hash | undefined;
  private header = Buffer.alloc(0);
  private trailer = Buffer.alloc(0);
  private readonly mac: IncrementalHash | undefined;
  private name: IncrementalHash | undefined;

  constructor(
    private readonly ref: ObjectRef,
    private readonly options: ProbeOptions,
  ) {
    this.mac = options.newMac?.();
  }

  update(chunk: Uint8Array): void {
    const { objectSize, startBytes } = this.options;
    const from = this.size;
    this.size += chunk.length;
    if (startBytes !== undefined && from <= startBytes && this.size >= startBytes) {
      this.sha256.update(chunk.subarray(0, startBytes - from));
      this.start ??= this.sha256.copy();
      this.sha256.update(chunk.subarray(startBytes - from));
    } else this.sha256.update(chunk);
    if (from < headerBytes) this.addHeader(chunk.subarray(0, headerBytes - from));
    if (this.mac === undefined) return;
    const bodyEnd = Math.max(0, objectSize - trailerBytes - from);
    this.mac.update(chunk.subarray(0, bodyEnd));
    this.name?.update(chunk.subarray(Math.max(0, headerBytes - from), bodyEnd));
    this.trailer = Buffer.concat([this.trailer, chunk.subarray(bodyEnd)]);
  }

  /** After the last of the bytes. */
  end(): Reading {
    const { size } = this;
    const fault = this.ownFault() ?? this.macFault();
    const hasValidMac = this.mac !== undefined && fault === undefined;
    const hasValidName = this.name !== undefined && fault === undefined;
    const startSha256 = this.start?.digest();
    return { size, sha256: this.sha256.digest(), startSha256, fault, hasValidMac, hasValidName };
  }

  private addHeader(bytes: Uint8Array): void {
    this.header = Buffer.concat([this.header, bytes]);
    if (this.header.length < headerBytes || this.ref.kind !== 'packfile') return;
    if (formatVersion(this.header) === versionWithNames) this.name = this.options.newMac?.();
  }

  private ownFault(): Fault | undefined {
    const { kind } = this.ref;
    if (this.size < minObjectBytes) {
      const text = `has ${this.size} bytes, and the shortest ${kind} has ${minObjectBytes}`;
      return { problem: 'size', text };
    }
    try {
      checkHeader(kind, this.header);
      return undefined;
    } catch (error) {
      return { problem: 'header', text: `is ${StoreError.from(error).message}` };
    }
  }

  private macFault(): Fault | undefined {
    if (this.mac === undefined) return undefined;
    if (!timingSafeEqual(this.mac.digest(), this.trailer)) {
      return {
        problem: 'mac',
        text: "has other bytes than when it was written: the MAC at its end doesn't match them",
      };
    }
    if (this.name === undefined || timingSafeEqual(this.name.digest(), macToBytes(this.ref.mac))) return undefined;
    return { problem: 'name', text: "is another packfile's: its bytes are whole, and don't match its name" };
  }
}
