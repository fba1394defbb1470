import { readFile } from 'node:fs/promises';
import type { ClientOptions } from '../../client/client.js';
import type { TlsOptions } from '../../client/connection.js';
import { StoreError } from '../../core/errors.js';
import { resolvePath } from '../../lib/paths.js';
import type { Connector, OpenOptions } from '../backend.js';
import type { GatewayLocation } from './location.js';

/**
 * The options of a client for the store at a location. The token comes from plakar's option `auth_token` or else, in a gateway, from the
 * environment: everyone on the machine can read a command line.
 */
export async function clientOptions(
  { scheme, address, store }: GatewayLocation,
  { user, connector }: Pick<OpenOptions, 'user' | 'connector'>,
): Promise<ClientOptions> {
  const token = connector === undefined ? user.env['KLOSET_GATEWAY_TOKEN'] : connector.options['auth_token'];
  return {
    address,
    store,
    tls: scheme === 'grpcs' && (await tlsOptions(connector)),
    ...(token !== undefined && { token }),
  };
}

/** From plakar's options `tls_ca`, `tls_cert` and `tls_key`: paths of PEM files. */
async function tlsOptions(connector: Connector | undefined): Promise<TlsOptions> {
  const read = async (name: string): Promise<Buffer | undefined> => {
    const path = connector?.options[name];
    if (connector === undefined || path === undefined) return undefined;
    try {
      return await readFile(resolvePath(path, connector.surroundings));
    } catch (error) {
      throw new StoreError('invalid_argument', `${name} can't be read: ${String(error)}`, { cause: error });
    }
  };
  const [ca, cert, key] = [await read('tls_ca'), await read('tls_cert'), await read('tls_key')];
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}
