import type { VerifyObserver } from '../integrity/verify.js';
import type { StoreContext } from './named-store.js';
import { TransferProgress } from './transfer-progress.js';

/**
 * Shows how far a verification has come. How many bytes there are is estimated from the objects that were read, whose order is that of their
 * MACs: it says nothing about their sizes.
 */
export class VerifyProgress implements Pick<VerifyObserver, 'planned' | 'checked'> {
  private readonly progress: TransferProgress;
  private objects = 0;
  private count = 0;
  private bytes = 0;
  private nextEstimate = 1;

  constructor(context: StoreContext) {
    this.progress = new TransferProgress(context, { verb: 'read' });
    this.progress.begin('listing the objects');
  }

  planned(objects: number): void {
    this.objects = objects;
  }

  checked(_: object, bytes: number): void {
    this.count++;
    this.bytes += bytes;
    this.progress.add(bytes);
    if (this.count < this.nextEstimate) return;
    this.progress.setTotal(Math.round((this.bytes / this.count) * this.objects));
    this.nextEstimate = Math.ceil(this.count * 1.1) + 1;
  }

  /** Has to be called in the end. */
  stop(): void {
    this.progress.stop();
  }
}
