import { StoreError } from '../../core/errors.js';
import { momentForm, parseMoment } from '../../core/moment.js';
import { isStoreName, parseStoreAddress } from '../../core/store-name.js';

/** A store of another gateway. */
export interface GatewayLocation {
  /** In the clear, or over TLS. */
  readonly scheme: 'grpc' | 'grpcs';
  /** `host:port`, with brackets around an IPv6 address. */
  readonly address: string;
  /** The store's name there, which is empty for the default one; `@` and a moment may follow. */
  readonly store: string;
}

export const form = "grpc[s]://host[:port][/store] for another gateway's store";

/** Where gateways listen for gRPC by default. */
const defaultPort = 9878;

/** `unix:…` and `systemd:…` are other kinds of addresses. */
const pattern =
  /^(grpcs?):\/\/(?!(?:unix|systemd)(?:[:/]|$))(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::(\d{1,5}))?(?:\/(.*))?$/is;

/** Parses `grpc[s]://host[:port][/store[@moment]]`. Throws `invalid_argument` with what is wrong. */
export function parseGatewayLocation(text: string): GatewayLocation {
  const [, scheme, host, digits = defaultPort, path = ''] = pattern.exec(text) ?? [];
  const port = Number(digits);
  const store = path.replace(/\/$/, '');
  const { name, moment } = parseStoreAddress(store);
  if (host === undefined || port > 65535 || !isStoreName(name)) {
    throw new StoreError(
      'invalid_argument',
      "a gateway's location is grpc[s]://host[:port][/store], and a store's name has letters, digits, '.', '_' and '-', in parts with '/' between them",
    );
  }
  if (moment !== undefined && parseMoment(moment, Date.now()) === undefined) {
    throw new StoreError('invalid_argument', `after the @ of a gateway's location comes ${momentForm}`);
  }
  return { scheme: scheme?.toLowerCase() === 'grpc' ? 'grpc' : 'grpcs', address: `${host}:${port}`, store };
}

/** The text that `parseGatewayLocation` reads as this location. */
export function formatGatewayLocation({ scheme, address, store }: GatewayLocation): string {
  return `${scheme}://${address}${store === '' ? '' : `/${store}`}`;
}
