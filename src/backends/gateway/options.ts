import type { ClientOptions } from '../../client/client.js';
import type { TlsOptions } from '../../client/connection.js';
import type { GatewayLocation } from '../location.js';

/** How to log in to another gateway. */
export interface UpstreamOptions {
  readonly token?: string;
  /** For `grpcs://`; the system's defaults apply to what is left out. */
  readonly tls?: TlsOptions;
}

/** The options of a client for the store at this location. */
export function clientOptions(location: GatewayLocation, { token, tls }: UpstreamOptions): ClientOptions {
  return {
    address: location.address,
    store: location.store,
    tls: location.scheme === 'grpcs' && (tls ?? true),
    ...(token === undefined ? {} : { token }),
  };
}
