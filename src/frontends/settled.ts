import { setImmediate } from 'node:timers/promises';
import { canceled } from '../core/errors.js';

/** A client that is made with Node ends its upload like a whole one when it cancels, and resets the stream just behind: seen one turn later. */
const turns = 4;

/**
 * Waits a moment at the end of an upload that looks whole, where the protocol's end says nothing about that. Throws `canceled`
 * when the client turns out to be gone.
 */
export async function settled(isGone: () => boolean): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    await setImmediate();
    if (isGone()) throw canceled();
  }
}
