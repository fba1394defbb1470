import type { Slots } from './semaphore.js';

/** Places as `Slots` has them: all of them here, or so many as were handed to this process of those that several processes share. */
export type Places = Pick<Slots, 'isIdle' | 'tryTake' | 'take' | 'give' | 'resize'>;
