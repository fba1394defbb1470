import { isLocalOnly } from '../config/address.js';
import { openStores, openWritingProblem } from '../config/open.js';
import type { Config } from '../config/types.js';
import { formatAddress } from '../core/address.js';
import type { Listener } from '../net/listener.js';

/**
 * Refuses writing without a login where others than this machine come from, as the check of the configuration does, for sockets of
 * which only the open one tells: systemd's. Throws with a message for the operator.
 */
export function checkOpenWriting(config: Config, listeners: readonly Listener[]): void {
  if (config.noAuth) return;
  for (const { config: listener, localOnly } of listeners) {
    if (localOnly || isLocalOnly(listener.address) !== undefined) continue;
    const stores = openStores(config, listener, 'append');
    if (stores.length > 0) throw new Error(openWritingProblem(formatAddress(listener.address), stores));
  }
}
