import type { Places } from '../../lib/places.js';
import { Slots } from '../../lib/semaphore.js';

/** How long it is waited at least, in milliseconds, for a place that another process has to give back first. */
const leastWaitMs = 500;

/**
 * Of the places that all workers share, those that were handed to this one. Taking and giving them costs no message; more are asked
 * for when they run out, and given back when another worker needs them or nobody has used them for a while.
 */
export class LeasedPlaces implements Places {
  private readonly slots = new Slots(0);
  private held = 0;
  /** How many are to be given back as soon as they are free. */
  private owed = 0;
  private asked = false;

  /**
   * @param ask asks for more: `granted` is called once for it
   * @param giveBack gives some of them back
   */
  constructor(
    private readonly ask: () => void,
    private readonly giveBack: (places: number) => void,
  ) {}

  get isIdle(): boolean {
    return this.slots.isIdle;
  }

  /** Whether some may still be handed to it, though nobody may want them any more. */
  get isAwaited(): boolean {
    return this.asked;
  }

  tryTake(): boolean {
    return this.slots.tryTake();
  }

  async take(signal: AbortSignal, waitMs = Infinity): Promise<boolean> {
    const taken = this.slots.take(signal, Math.max(waitMs, leastWaitMs));
    this.askWhereWanted();
    return taken;
  }

  give(): void {
    if (this.owed === 0) return this.slots.give();
    this.shrink();
    this.slots.give();
    this.giveBack(1);
    this.askWhereWanted();
  }

  /** How many there are is decided where they are handed out. */
  resize(): void {
    return undefined;
  }

  /** More were handed to this process. */
  granted(places: number): void {
    this.asked = false;
    this.held += places;
    this.slots.resize(this.held);
    this.giveFree(this.owed);
    this.askWhereWanted();
  }

  /** Others need some of them: those that are free go back now, the rest as it becomes free. */
  recalled(places: number): void {
    this.owed += places;
    this.giveFree(this.owed);
  }

  /** Gives back what is not in use. */
  giveAllFree(): void {
    this.giveFree(this.held);
  }

  private giveFree(most: number): void {
    let freed = 0;
    while (freed < most && this.slots.tryTake()) {
      this.shrink();
      this.slots.give();
      freed++;
    }
    if (this.held === 0) this.owed = 0;
    if (freed > 0) this.giveBack(freed);
  }

  private shrink(): void {
    this.held--;
    this.owed = Math.max(0, this.owed - 1);
    this.slots.resize(this.held);
  }

  private askWhereWanted(): void {
    if (this.asked || this.slots.inLine === 0) return;
    this.asked = true;
    this.ask();
  }
}
