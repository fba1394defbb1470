import { isLocalOnly } from '../config/address.js';
import { anonymouslyAccessibleStores, anonymousWritingProblem } from '../config/anonymous-access.js';
import type { Config } from '../config/types.js';
import { formatAddress } from '../core/address.js';
import type { Listener } from '../net/listener.js';

/**
 * Refuses anonymous writing from other machines, for sockets passed by systemd: only the open socket tells from where it can be
 * reached, so the check of the configuration couldn't. Throws with a message for the operator.
 */
export function checkAnonymousWriting(config: Config, listeners: readonly Listener[]): void {
  if (config.noAuth) return;
  for (const { config: listener, localOnly } of listeners) {
    if (localOnly || isLocalOnly(listener.address) !== undefined) continue;
    const stores = anonymouslyAccessibleStores(config, listener, 'append');
    if (stores.length > 0) throw new Error(anonymousWritingProblem(formatAddress(listener.address), stores));
  }
}
