import type { StoreError } from '../../core/errors.js';
import { fromSftp } from './status.js';

const MiB = 2 ** 20;

/** How much of one file may be on its way to the server: twice what an OpenSSH server takes in before it has to answer. */
const fileBytes = 4 * MiB;

/** How many bytes all files of a store have on their way. */
export interface Traffic {
  bytes: number;
}

/** What of one file was sent to the server and isn't acknowledged. The first failure is kept, for whoever asks next. */
export class UnderWay {
  private failure: StoreError | undefined;
  private readonly works = new Set<Promise<void>>();
  private bytes = 0;

  constructor(private readonly traffic: Traffic) {}

  /** Counts `work` until it is over. What it gives back is over then, too, and never fails. */
  add(work: Promise<void>, bytes: number): Promise<void> {
    this.count(bytes);
    const followed = work
      .catch((error: unknown) => {
        this.failure ??= fromSftp(error);
      })
      .finally(() => {
        this.count(-bytes);
        this.works.delete(followed);
      });
    this.works.add(followed);
    return followed;
  }

  /**
   * Waits until `bytes` more may be sent to a server that is `roundTripMs` away. Throws the failure, where there was one. One packet of
   * each file may always be, whatever the others do.
   */
  async room(bytes: number, roundTripMs: number): Promise<void> {
    const together = togetherBytes(roundTripMs);
    while (this.bytes > 0 && (this.bytes + bytes > fileBytes || this.traffic.bytes + bytes > together)) {
      const [oldest] = this.works;
      await oldest;
    }
    this.throwFailure();
  }

  /** Waits until all is over. Throws the failure, where there was one. */
  async settled(): Promise<void> {
    await this.over();
    this.throwFailure();
  }

  /** Waits until all is over, well or not. */
  async over(): Promise<void> {
    await Promise.all(this.works);
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
 * How much of all files may be on its way: what a server of this machine takes as fast as it can, and more for one further away, which
 * has 100 MiB/s under way for as long as a round trip takes. It bounds the memory of many uploads: measured with four of them to a
 * server near by, they take 20 MiB less than with 6 MiB, and no more time.
 */
function togetherBytes(roundTripMs: number): number {
  return Math.min(2 + roundTripMs / 10, 10) * MiB;
}
