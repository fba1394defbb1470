import { formatLocation } from '../backends/backends.js';
import { hasRight } from '../core/access.js';
import { isLoopback } from '../lib/ip-address.js';
import { nameStores } from './anonymous-access.js';
import type { Config, MirrorConfig, StoreConfig } from './types.js';

/** What the mirrors of a configuration allow and its operator may not intend, each a sentence. */
export function mirrorWarnings({ stores }: Pick<Config, 'stores'>): string[] {
  return [
    ...[...stores.values()].flatMap(({ mirror }) => (mirror === undefined ? [] : readableToken(mirror))),
    ...[...stores].flatMap(writableCopy),
    ...sharedCopies(stores),
  ];
}

function readableToken({ location, tokenFile }: MirrorConfig): string[] {
  if (tokenFile === undefined || location.scheme !== 'grpc') return [];
  const host = location.address.replace(/:\d+$/, '').replaceAll(/[[\]]/g, '');
  if (host === 'localhost' || isLoopback(host)) return [];
  return [`the token for the mirror at ${formatLocation(location)} is sent in the clear: write grpcs://`];
}

/** What is written to a second copy past its mirror isn't in the first one. */
function writableCopy([name, { mirror, anonymous }]: [string, StoreConfig]): string[] {
  if (mirror?.direction !== 'from' || !hasRight(anonymous, 'append')) return [];
  return [
    `everyone may write to ${nameStores([name])}, which is a second copy: what is written there is not in the first one; set anonymous to read-only`,
  ];
}

function sharedCopies(stores: Config['stores']): string[] {
  const names = new Map<string, string>();
  return [...stores].flatMap(([name, { mirror }]) => {
    if (mirror?.direction !== 'to') return [];
    const where = formatLocation(mirror.location);
    const other = names.get(where);
    names.set(where, name);
    return other === undefined
      ? []
      : [`${nameStores([other, name])} are mirrored to the same place, ${where}: each needs a copy of its own`];
  });
}
