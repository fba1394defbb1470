/** What a client's Init says. */
export interface InitConfig {
  /** The whole location, as plakar has it. */
  readonly location: string;
  /** The store's name at a gateway: `store`, or else the location's path without its slashes. */
  readonly store: string;
  /** The location's host and path, for people. */
  readonly origin: string;
  readonly root: string;
  /** Everything that plakar's configuration has for the store, with its secrets. */
  readonly options: Readonly<Record<string, string>>;
}

/** Reads what an Init says. Pure; nothing is refused, since a location is the store's business. */
export function parseInit(proto: string, options: Readonly<Record<string, string>>): InitConfig {
  const { location = '', store } = options;
  const [, host, path = location] = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/]*)(.*)$/s.exec(location) ?? [];
  const name = path.replace(/^\/+|\/+$/g, '');
  const origin = host === undefined || host === '' ? proto : host;
  return { location, store: store ?? name, origin: origin.replace(/^.*@/s, ''), root: path, options: { ...options } };
}
