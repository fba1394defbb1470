import type { DigestRecorder, DigestStorage } from '../core/digests.js';
import type { ObjectRef } from '../core/object.js';
import { SingleFlight } from '../lib/single-flight.js';

/** How long it isn't looked again whether digests are recorded by now, in milliseconds. */
const lookEveryMs = 60_000;

/**
 * Records deletes from a store where this gateway records no digests, but an earlier one or another one did: their objects would otherwise seem to
 * be lost. Where there are no digests, nothing is written.
 */
export class DeleteRecorder implements DigestRecorder {
  private hasDigests = false;
  private lookedMs = -Infinity;
  private readonly looking = new SingleFlight<void>();

  /** @param recorder records what has to be recorded */
  constructor(
    private readonly storage: DigestStorage,
    private readonly recorder: DigestRecorder,
    private readonly monotonicMs = (): number => performance.now(),
  ) {}

  async record(): Promise<void> {
    // That is up to the others.
  }

  async recordDelete(ref: ObjectRef): Promise<void> {
    if (!this.hasDigests && this.monotonicMs() - this.lookedMs >= lookEveryMs) {
      await this.looking.run(() => this.look());
    }
    if (this.hasDigests) await this.recorder.recordDelete(ref);
  }

  close(): Promise<void> {
    return this.recorder.close();
  }

  private async look(): Promise<void> {
    const segments = await this.storage.list({ signal: new AbortController().signal });
    this.hasDigests = segments.length > 0;
    this.lookedMs = this.monotonicMs();
  }
}
