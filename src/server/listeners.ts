import type { Config, ListenerConfig } from '../config/types.js';
import { formatAddress, type ListenAddress } from '../core/address.js';
import { openListener, type Listener, type ListenerOptions } from '../net/listener.js';

type OptionsOf = (config: ListenerConfig) => ListenerOptions;

/** The open listeners. Those that don't change at a reload stay open. */
export class Listeners {
  current: readonly Listener[] = [];

  /** @param optionsOf makes the options of a listener when it is opened */
  constructor(private readonly optionsOf: OptionsOf) {}

  /** The addresses of all listeners of a protocol. */
  addressesOf(protocol: ListenerConfig['protocol']): ListenAddress[] {
    return this.current.filter(({ config }) => config.protocol === protocol).flatMap(({ addresses }) => addresses);
  }

  /**
   * Opens the listeners that a configuration adds, and closes those that it removes. On failure, with a message for the operator,
   * the listeners stay as they were. An address can't be used twice, so a listener that changes and keeps its address, or its port
   * while it changes from `localhost` to every address, is closed for a moment; its connections stay open.
   *
   * @param check is called with the new listeners before the old ones are closed for good; it throws to reject them
   */
  async change({ listeners }: Config, check: (all: readonly Listener[]) => void): Promise<void> {
    const wanted = new Map(listeners.map((config) => [keyOf(config), config]));
    const kept = this.current.filter(({ config }) => wanted.has(keyOf(config)));
    const keptKeys = new Set(kept.map(({ config }) => keyOf(config)));
    const added = [...wanted].filter(([key]) => !keptKeys.has(key)).map(([, config]) => config);
    const removed = this.current.filter((listener) => !kept.includes(listener));
    const conflicting = removed.filter(({ config }) => added.some((each) => collides(each, config)));
    requireRestart(conflicting);
    const opened: Listener[] = [];
    for (const listener of conflicting) await listener.close();
    try {
      for (const config of added) opened.push(await openListener(config, this.optionsOf(config)));
      check([...kept, ...opened]);
    } catch (error) {
      for (const listener of opened) await listener.close();
      this.current = this.current.filter((listener) => !conflicting.includes(listener));
      for (const { config } of conflicting)
        this.current = [...this.current, await openListener(config, this.optionsOf(config))];
      throw error;
    }
    this.current = [...kept, ...opened];
    for (const listener of removed.filter((each) => !conflicting.includes(each))) await listener.close();
  }

  /** Stops listening. Connections stay open. */
  async close(): Promise<void> {
    await Promise.all(this.current.map((listener) => listener.close()));
    this.current = [];
  }
}

/** The parts of a listener that can't change while it is open. Its access can: that is looked up for each request. */
function keyOf(config: ListenerConfig): string {
  return JSON.stringify({ ...config, maxAccess: undefined });
}

/** A socket passed by systemd can't be opened again after it is closed. */
function requireRestart(changing: readonly Listener[]): void {
  const { config } = changing.find(({ config: { address } }) => 'systemd' in address) ?? {};
  if (config === undefined) return;
  throw new Error(
    `${formatAddress(config.address)} is a socket passed by systemd: restart the gateway to change its listener`,
  );
}

/** Whether two listeners can't be open at the same time. Different hosts may be the same address, so equal ports count as a conflict. */
function collides({ address: a }: ListenerConfig, { address: b }: ListenerConfig): boolean {
  if ('port' in a && 'port' in b) return a.port === b.port && a.port !== 0;
  return formatAddress(a) === formatAddress(b);
}
