import type { Config } from './types.js';

/** The files that a configuration names and that are read along with it: a change to one of them needs a reload. */
export function filesOf({ htpasswd, tls }: Pick<Config, 'htpasswd' | 'tls'>): string[] {
  return [htpasswd, tls?.cert, tls?.key, tls?.clientCa].filter((file) => file !== undefined);
}
