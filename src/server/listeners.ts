import type { Config, ListenerConfig } from '../config/types.js';
import { formatAddress } from '../core/address.js';
import { openListener, type Listener, type ListenerOptions } from '../net/listener.js';

type OptionsOf = (config: ListenerConfig) => ListenerOptions;

/** The listeners that are open. A configuration that takes the place of another one keeps those that are the same in both. */
export class Listeners {
  private open: readonly Listener[] = [];

  /** @param optionsOf what a listener is opened with, at that time */
  constructor(private readonly optionsOf: OptionsOf) {}

  get current(): readonly Listener[] {
    return this.open;
  }

  /** Whether there is one of a protocol. */
  has(protocol: ListenerConfig['protocol']): boolean {
    return this.open.some(({ config }) => config.protocol === protocol);
  }

  /**
   * Opens what a configuration has and isn't open, and closes what it doesn't have. Fails with a message for the operator, and
   * with the listeners as they were. Two can't have one address, so a listener that changes at its address, or from `localhost` to
   * every address with the same port, is closed for a moment; connections stay.
   *
   * @param check is called with all of them before anything is closed for good; what it throws makes this fail
   */
  async change({ listeners }: Config, check: (all: readonly Listener[]) => void): Promise<void> {
    const wanted = new Map(listeners.map((config) => [keyOf(config), config]));
    const kept = this.open.filter(({ config }) => wanted.has(keyOf(config)));
    const keptKeys = new Set(kept.map(({ config }) => keyOf(config)));
    const added = [...wanted].filter(([key]) => !keptKeys.has(key)).map(([, config]) => config);
    const leaving = this.open.filter((listener) => !kept.includes(listener));
    const inTheWay = leaving.filter(({ config }) => added.some((each) => collides(each, config)));
    requireRestart(inTheWay);
    const opened: Listener[] = [];
    for (const listener of inTheWay) await listener.close();
    try {
      for (const config of added) opened.push(await openListener(config, this.optionsOf(config)));
      check([...kept, ...opened]);
    } catch (error) {
      for (const listener of opened) await listener.close();
      this.open = this.open.filter((listener) => !inTheWay.includes(listener));
      for (const { config } of inTheWay) this.open = [...this.open, await openListener(config, this.optionsOf(config))];
      throw error;
    }
    this.open = [...kept, ...opened];
    for (const listener of leaving.filter((each) => !inTheWay.includes(each))) await listener.close();
  }

  /** Stops listening. Connections stay. */
  async close(): Promise<void> {
    await Promise.all(this.open.map((listener) => listener.close()));
    this.open = [];
  }
}

/** What makes a listener another one. What it allows is looked up for each request. */
function keyOf(config: ListenerConfig): string {
  return JSON.stringify({ ...config, maxAccess: undefined });
}

/** A socket that systemd passed on is gone for good once it is closed. */
function requireRestart(changing: readonly Listener[]): void {
  const { config } = changing.find(({ config: { address } }) => 'systemd' in address) ?? {};
  if (config === undefined) return;
  throw new Error(
    `${formatAddress(config.address)} is a socket of systemd's: restart the gateway to change what it is for`,
  );
}

/** Whether two can't listen at once. One host may be another one as well: of two with the same port, that is taken for granted. */
function collides({ address: a }: ListenerConfig, { address: b }: ListenerConfig): boolean {
  if ('port' in a && 'port' in b) return a.port === b.port && a.port !== 0;
  return formatAddress(a) === formatAddress(b);
}
