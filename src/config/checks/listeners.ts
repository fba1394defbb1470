import { formatAddress, type ListenAddress } from '../../core/address.js';
import { parseAddress } from '../address.js';
import type { Path } from '../problems.js';
import { addressForms, listening, type WrittenListener } from '../settings/network.js';
import type { ListenerConfig } from '../types.js';
import type { Context } from './context.js';

type Protocol = ListenerConfig['protocol'];

/** A listener, and its path in the settings. */
export interface CheckedListener {
  readonly listener: ListenerConfig;
  readonly path: Path;
}

const protocols = ['http', 'grpc', 'admin'] as const;

/** Checks where the gateway listens, and gives each listener a name. */
export function checkListeners(context: Context): CheckedListener[] {
  const found = protocols.flatMap((protocol) => checkSetting(context, protocol));
  const taken = new Set(found.map(({ listener }) => listener.name).filter((name) => name !== ''));
  const checked = found.map((each) => {
    if (each.listener.name !== '') return each;
    const name = freeName(each.listener, taken);
    taken.add(name);
    return { ...each, listener: { ...each.listener, name } };
  });
  checkUnique(context, checked);
  if (isOff(context, 'http') && isOff(context, 'grpc')) {
    context.problem(['listen'], 'there is nothing to serve: set listen, grpc-listen or both to an address');
  }
  return checked;
}

/** Whether a setting has no listeners. */
function isOff(context: Context, protocol: Protocol): boolean {
  const value = context.values.listening[protocol];
  const isOnlyOff = value === 'off' || (Array.isArray(value) && value.every((each) => each === 'off'));
  return isOnlyOff && !context.isInvalid(listening[protocol].name);
}

function checkSetting(context: Context, protocol: Protocol): CheckedListener[] {
  const { name } = listening[protocol];
  const value = context.values.listening[protocol];
  if (value === 'off' || context.isInvalid(name)) return [];
  if (!Array.isArray(value)) return checkListener(context, protocol, value, [name]);
  if (value.length > 1 && value.includes('off')) {
    context.problem([name, value.indexOf('off')], "off can't be combined with addresses");
  }
  return value.flatMap((each, i) => (each === 'off' ? [] : checkListener(context, protocol, each, [name, i])));
}

function checkListener(
  context: Context,
  protocol: Protocol,
  written: string | WrittenListener,
  path: Path,
): CheckedListener[] {
  const listener: WrittenListener = typeof written === 'string' ? { address: written } : written;
  const at = (key: string): Path => (typeof written === 'string' ? path : [...path, key]);
  const address = parseAddress(listener.address);
  if (address === undefined) {
    context.problem(at('address'), `must be an address: ${addressForms}`);
    return [];
  }
  const withCert = context.given.cert !== undefined;
  if (listener.tls === true && !withCert) {
    context.problem(at('tls'), 'TLS needs a certificate: set cert and key, or remove tls');
  }
  for (const key of ['mode', 'owner'] as const) {
    if (listener[key] !== undefined && !('path' in address)) {
      context.problem(
        at(key),
        `applies to unix sockets only, and this listens on ${formatAddress(address)}: remove it`,
      );
    }
  }
  const config = {
    name: listener.name ?? '',
    protocol,
    address,
    maxAccess: listener['max-access'] ?? 'full',
    tls: listener.tls ?? (withCert && protocol !== 'admin' && !('path' in address)),
    mode: listener.mode,
    owner: listener.owner,
  };
  return [{ listener: config, path }];
}

/** The address as written. If that is taken, as on port 0, it is made unique. */
function freeName({ address, protocol }: ListenerConfig, taken: ReadonlySet<string>): string {
  const plain = formatAddress(address);
  let name = taken.has(plain) ? `${protocol} ${plain}` : plain;
  for (let n = 2; taken.has(name); n++) name = `${protocol} ${plain} ${n}`;
  return name;
}

function checkUnique(context: Context, checked: readonly CheckedListener[]): void {
  const names = new Set<string>();
  const addresses = new Set<string>();
  for (const { listener, path } of checked) {
    const { name } = listener;
    const address = formatAddress(listener.address);
    if (names.has(name)) context.problem([...path, 'name'], `another listener has the name ${name}`);
    names.add(name);
    if (addresses.has(address) && !isAnyPort(listener.address)) {
      context.problem(path, `another listener has the address ${address}`);
    }
    addresses.add(address);
  }
}

function isAnyPort(address: ListenAddress): boolean {
  return 'port' in address && address.port === 0;
}
