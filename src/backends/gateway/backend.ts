import type { Backend } from '../backend.js';
import { GatewayStore } from './gateway-store.js';
import { form, formatGatewayLocation, parseGatewayLocation, type GatewayLocation } from './location.js';
import { clientOptions } from './options.js';

/** Stores of other gateways. */
export const gateway: Backend<GatewayLocation> = {
  schemes: ['grpc', 'grpcs'],
  form,
  parse: parseGatewayLocation,
  format: formatGatewayLocation,

  withConnectorOptions: (location, { store }) => (store === undefined ? location : { ...location, store }),

  async open(location, options) {
    return GatewayStore.open(await clientOptions(location, options));
  },
};
