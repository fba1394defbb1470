import type { Config } from './types.js';

/** The files that a configuration names and that are read with it: who changes one of them changes the configuration. */
export function filesOf({ htpasswd, tls }: Pick<Config, 'htpasswd' | 'tls'>): string[] {
  return [htpasswd, tls?.cert, tls?.key, tls?.clientCa].filter((file) => file !== undefined);
}
