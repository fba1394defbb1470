import { setImmediate } from 'node:timers/promises';
import { canceled } from '../core/errors.js';

/** How many turns to wait. Node's HTTP/2 client ends a cancelled upload like a complete one; its reset was seen one turn later. */
const turns = 4;

/**
 * Waits a few turns of the event loop at the end of an upload, where the protocol doesn't mark a complete one. Throws `canceled` where the
 * client has cancelled the upload by then.
 */
export async function settled(isGone: () => boolean): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    await setImmediate();
    if (isGone()) throw canceled();
  }
}
