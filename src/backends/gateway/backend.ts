import { readFile } from 'node:fs/promises';
import type { TlsOptions } from '../../client/connection.js';
import { StoreError } from '../../core/errors.js';
import { resolvePath } from '../../lib/paths.js';
import type { Backend, Connector } from '../backend.js';
import { GatewayStore } from './gateway-store.js';
import { form, formatGatewayLocation, parseGatewayLocation, type GatewayLocation } from './location.js';

/** Stores of other gateways. */
export const gateway: Backend<GatewayLocation> = {
  schemes: ['grpc', 'grpcs'],
  form,
  parse: parseGatewayLocation,
  format: formatGatewayLocation,

  withConnectorOptions: (location, { store }) => (store === undefined ? location : { ...location, store }),

  /**
   * The token comes from plakar's option `auth_token` or else, in a gateway, from the environment: everyone on the machine can read a
   * command line.
   */
  async open({ scheme, address, store }, { user, connector, ownCopy = false }) {
    const token = connector === undefined ? user.env['KLOSET_GATEWAY_TOKEN'] : connector.options['auth_token'];
    const tls = scheme === 'grpcs' && (await tlsOptions(connector));
    return GatewayStore.open({ address, store, tls, ownCopy, ...(token !== undefined && { token }) });
  },
};

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
