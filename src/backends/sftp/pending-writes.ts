import type { StoreError } from '../../core/errors.js';
import { fromSftp } from './status.js';

const MiB = 2 ** 20;

/** How many unacknowledged bytes one file may have: twice what an OpenSSH server reads before it has to answer. */
const maxFileBytes = 4 * MiB;

/** How many unacknowledged bytes all files of a store have. */
export interface Traffic {
  bytes: number;
}

/** The writes of one file that the server has not acknowledged. Keeps the first failure for the next call. */
export class PendingWrites {
  private failure: StoreError | undefined;
  private readonly writes = new Set<Promise<void>>();
  private bytes = 0;

  constructor(private readonly traffic: Traffic) {}

  /** Counts a write until it has ended. The promise that it returns resolves then, whatever the outcome. */
  add(write: Promise<void>, bytes: number): Promise<void> {
    this.count(bytes);
    const ended = write
      .catch((error: unknown) => {
        this.failure ??= fromSftp(error);
      })
      .finally(() => {
        this.count(-bytes);
        this.writes.delete(ended);
      });
    this.writes.add(ended);
    return ended;
  }

  /**
   * Waits until `bytes` more may be sent. Throws the failure of an earlier write. Every file may have one packet pending, whatever the
   * others have.
   */
  async waitForRoom(bytes: number, roundTripMs: number): Promise<void> {
    const maxBytes = windowBytes(roundTripMs);
    while (this.bytes > 0 && (this.bytes + bytes > maxFileBytes || this.traffic.bytes + bytes > maxBytes)) {
      const [oldest] = this.writes;
      await oldest;
    }
    this.throwFailure();
  }

  /** Waits until all writes have ended. Throws the first failure. */
  async flush(): Promise<void> {
    await this.settled();
    this.throwFailure();
  }

  /** Waits until all writes have ended, whatever the outcome. */
  async settled(): Promise<void> {
    await Promise.all(this.writes);
  }

  private throwFailure(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  private count(bytes: number): void {
    this.bytes += bytes;
    this.traffic.bytes += bytes;
  }
}

/**
 * How many unacknowledged bytes all files of a store may have: 100 MiB/s for one round trip, and at least what keeps a server of this
 * machine busy. It limits the memory of many uploads. Measured: four of them to a server nearby take 20 MiB less than with 6 MiB, and no
 * more time.
 */
function windowBytes(roundTripMs: number): number {
  return Math.min(2 + roundTripMs / 10, 10) * MiB;
}
