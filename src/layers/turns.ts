import { canceled, StoreError } from '../core/errors.js';
import type { Places } from '../lib/places.js';
import { Slots } from '../lib/semaphore.js';
import type { OpContext } from '../core/store.js';

/** What one caller may have under way at once. */
export interface TurnLimits {
  /** Operations, uploads among them. */
  readonly maxRequests: number;
  /** Uploads of packfiles and states. */
  readonly maxUploads: number;
  /** How long what is over a limit waits for its turn, in milliseconds. */
  readonly queueMs: number;
}

/** Makes the places of one caller. @param key names the caller; @param places how many there are */
export type MakePlaces = (kind: 'requests' | 'uploads', key: string, places: number) => Places;

/** The permission to do one thing. `end` is called once, when it is done. */
export interface Turn {
  end(): void;
}

/** How many callers may come before those are forgotten that have nothing under way. */
const newCallers = 1000;

/** Counts what each caller has under way. Who has as much as it may waits in a line of its own, so nobody else waits for it. */
export class Turns {
  private readonly shares = new Map<string, Share>();
  /** With so many callers it is time to forget some. */
  private sweepAt = newCallers;

  /** @param makePlaces by default those of this process alone */
  constructor(
    private limits: TurnLimits,
    private readonly makePlaces: MakePlaces = (_kind, _key, places) => new Slots(places),
  ) {}

  /** How many callers have something under way. */
  get callers(): number {
    return [...this.shares.values()].filter((share) => !share.isIdle).length;
  }

  /** Changes the limits, for those in line as well. What is under way stays so. */
  setLimits(limits: TurnLimits): void {
    this.limits = limits;
    for (const share of this.shares.values()) share.resize(limits);
  }

  /**
   * A turn for a request of a caller: at once where the limit leaves one. Fails with `too_many_requests` where none came in
   * time, and with `canceled` where the signal aborts first.
   *
   * @param key names the caller
   */
  take(key: string, ctx: OpContext): Turn | Promise<Turn> {
    const share = this.shareOf(key);
    return share.requests.tryTake() ? share : this.wait(share, [share.requests], ctx);
  }

  /** A turn for an upload, which is a request as well. While it waits for the first of both, it holds no other. */
  takeUpload(key: string, ctx: OpContext): Turn | Promise<Turn> {
    const share = this.shareOf(key);
    if (share.uploads.tryTake()) {
      if (share.requests.tryTake()) return share.upload;
      share.uploads.give();
    }
    // In this order: an upload that waits for others to end doesn't keep the caller from reading.
    return this.wait(share, [share.uploads, share.requests], ctx);
  }

  private async wait(share: Share, places: readonly Places[], { signal }: OpContext): Promise<Turn> {
    const untilMs = performance.now() + this.limits.queueMs;
    const taken: Places[] = [];
    try {
      for (const slots of places) {
        if (!(await slots.take(signal, untilMs - performance.now()))) throw this.tooMany(share, slots);
        taken.push(slots);
      }
      return places.length > 1 ? share.upload : share;
    } catch (error) {
      for (const slots of taken) slots.give();
      throw error instanceof StoreError ? error : canceled(error);
    }
  }

  private tooMany(share: Share, slots: Places): StoreError {
    const { maxRequests, maxUploads, queueMs } = this.limits;
    const text = slots === share.uploads ? `uploads at once: ${maxUploads}` : `requests at once: ${maxRequests}`;
    return new StoreError(
      'too_many_requests',
      `too many ${text} of yours may be under way, and none of them ended in ${queueMs / 1000} s: do less at once, or try again later`,
    );
  }

  private shareOf(key: string): Share {
    const present = this.shares.get(key);
    if (present !== undefined) return present;
    const { maxRequests, maxUploads } = this.limits;
    const requests = this.makePlaces('requests', key, maxRequests);
    const uploads = this.makePlaces('uploads', key, maxUploads);
    if (this.shares.size >= this.sweepAt) this.sweep();
    const share = new Share(requests, uploads);
    this.shares.set(key, share);
    return share;
  }

  /** Making a share for each request would cost more than its turn, so those of callers who come again are kept. */
  private sweep(): void {
    for (const [key, share] of this.shares) if (share.isIdle) this.shares.delete(key);
    this.sweepAt = this.shares.size + newCallers;
  }
}

/** What one caller has under way; as a turn, it is that of a request. */
class Share implements Turn {
  /** The turn of an upload. They are all alike. */
  readonly upload: Turn = {
    end: () => {
      this.uploads.give();
      this.end();
    },
  };

  constructor(
    readonly requests: Places,
    readonly uploads: Places,
  ) {}

  get isIdle(): boolean {
    return this.requests.isIdle && this.uploads.isIdle;
  }

  resize({ maxRequests, maxUploads }: TurnLimits): void {
    this.requests.resize(maxRequests);
    this.uploads.resize(maxUploads);
  }

  end(): void {
    this.requests.give();
  }
}
