/** The contents of a client's Init. */
export interface InitConfig {
  /** The whole location, as in plakar's configuration. */
  readonly location: string;
  /** The store's name at a gateway: the option `store`, or else the location's path without slashes at its ends. */
  readonly store: string;
  /** The location's host and path, for people. */
  readonly origin: string;
  readonly root: string;
  /** All of plakar's configuration for the store, secrets included. */
  readonly options: Readonly<Record<string, string>>;
}

/** Parses an Init. Accepts everything: the location is checked when the store is opened. */
export function parseInit(proto: string, options: Readonly<Record<string, string>>): InitConfig {
  const { location = '', store } = options;
  const [, host, path = location] = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/]*)(.*)$/s.exec(location) ?? [];
  const name = path.replace(/^\/+|\/+$/g, '');
  const origin = host === undefined || host === '' ? proto : host;
  return { location, store: store ?? name, origin: origin.replace(/^.*@/s, ''), root: path, options: { ...options } };
}
