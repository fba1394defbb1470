import { formatAddress, type ListenAddress } from '../../core/address.js';
import { parseAddress } from '../address.js';
import type { Values } from '../definition.js';
import type { Path } from '../problems.js';
import type { ListenerConfig } from '../types.js';
import type { Context } from './context.js';

type Written = Exclude<NonNullable<Values['listen']>, string | unknown[]>;

/** A listener, and where it is in the settings. */
export interface PlacedListener {
  readonly listener: ListenerConfig;
  readonly path: Path;
}

const protocols = { listen: 'http', 'grpc-listen': 'grpc', 'metrics-listen': 'metrics' } as const;
const settingNames = ['listen', 'grpc-listen', 'metrics-listen'] as const;

/** Where the gateway listens. */
export function checkListeners(context: Context): PlacedListener[] {
  const found = settingNames.flatMap((setting) => checkSetting(context, setting));
  const taken = new Set(found.map(({ listener }) => listener.name).filter((name) => name !== ''));
  const placed = found.map((each) => {
    if (each.listener.name !== '') return each;
    const name = freeName(each.listener, taken);
    taken.add(name);
    return { ...each, listener: { ...each.listener, name } };
  });
  checkUnique(context, placed);
  if (isOff(context.values.listen) && isOff(context.values['grpc-listen'])) {
    context.problem(['listen'], 'there is nothing to serve: give an address to listen, to grpc-listen, or to both');
  }
  return placed;
}

/** Whether a setting with listeners has none. One with something wrong is left out of the values, and isn't off. */
function isOff(value: Values['metrics-listen']): boolean {
  return value === 'off' || (Array.isArray(value) && value.every((each) => each === 'off'));
}

function checkSetting(context: Context, setting: (typeof settingNames)[number]): PlacedListener[] {
  const value = context.values[setting];
  if (value === undefined || value === 'off') return [];
  if (Array.isArray(value)) {
    const all = value.map((each: string | Written, i) => ({ each, path: [setting, i] }));
    if (all.length > 1 && value.includes('off')) {
      context.problem([setting, value.indexOf('off')], `off goes with no other ${setting}`);
    }
    return all
      .filter(({ each }) => each !== 'off')
      .flatMap(({ each, path }) => checkListener(context, setting, each, path));
  }
  return checkListener(context, setting, value, [setting]);
}

function checkListener(
  context: Context,
  setting: (typeof settingNames)[number],
  written: string | Written,
  path: Path,
): PlacedListener[] {
  const listener: Written = typeof written === 'string' ? { address: written } : written;
  const at = (key: string): Path => (typeof written === 'string' ? path : [...path, key]);
  const address = parseAddress(listener.address);
  if (address === undefined) {
    const forms = 'host:port, [v6]:port, :port, unix:/path, systemd or systemd:NAME';
    context.problem(at('address'), `an address is ${forms}`);
    return [];
  }
  const protocol = protocols[setting];
  const withCert = context.given.cert !== undefined;
  if (listener.tls === true && !withCert) {
    context.problem(at('tls'), 'there is no certificate for it: give a cert and its key, or leave tls out');
  }
  for (const key of ['mode', 'owner'] as const) {
    if (listener[key] !== undefined && !('path' in address)) {
      context.problem(at(key), `only unix sockets have that, and this is ${formatAddress(address)}: leave it out`);
    }
  }
  const config: ListenerConfig = {
    name: listener.name ?? '',
    protocol,
    address,
    maxAccess: listener['max-access'] ?? 'full',
    tls: listener.tls ?? (withCert && protocol !== 'metrics' && !('path' in address)),
    mode: listener.mode,
    owner: listener.owner === undefined ? undefined : parseOwner(listener.owner),
  };
  return [{ listener: config, path }];
}

function parseOwner(text: string): ListenerConfig['owner'] {
  const [user = '', group] = text.split(':');
  return { user: user === '' ? undefined : user, group };
}

/** The address as it is written; on port 0, which many may share, with what tells them apart. */
function freeName({ address, protocol }: ListenerConfig, taken: ReadonlySet<string>): string {
  const plain = formatAddress(address);
  let name = taken.has(plain) ? `${protocol} ${plain}` : plain;
  for (let n = 2; taken.has(name); n++) name = `${protocol} ${plain} ${n}`;
  return name;
}

function checkUnique(context: Context, placed: readonly PlacedListener[]): void {
  const names = new Set<string>();
  const addresses = new Set<string>();
  for (const { listener, path } of placed) {
    const { name, address } = listener;
    if (names.has(name)) context.problem([...path, 'name'], `there is a listener of this name already: ${name}`);
    names.add(name);
    if (addresses.has(formatAddress(address)) && !isAnyPort(address)) {
      context.problem(path, `${formatAddress(address)} is listened at already: give each listener its own address`);
    }
    addresses.add(formatAddress(address));
  }
}

function isAnyPort(address: ListenAddress): boolean {
  return 'port' in address && address.port === 0;
}
