import type { PrincipalConfig } from '../config/types.js';
import { canonicalCertificateName, type PeerCertificate } from '../core/caller.js';
import { StoreError } from '../core/errors.js';

/** A text of a certificate that is repeated to its holder: so many names, and so much of each. */
const maxNames = 5;
const maxNameLength = 100;

/** Whose client certificates are whose. */
export class CertificateTable {
  private readonly byName = new Map<string, readonly PrincipalConfig[]>();

  constructor(principals: readonly PrincipalConfig[]) {
    for (const principal of principals) {
      for (const name of principal.certificates.map(canonicalCertificateName)) {
        this.byName.set(name, [...(this.byName.get(name) ?? []), principal]);
      }
    }
  }

  /** Whose certificate this is. Throws `unauthenticated` where it isn't trusted, nobody's, or that of several. */
  principalOf({ names, problem }: PeerCertificate): PrincipalConfig {
    if (problem !== undefined) throw refused(`isn't accepted: ${problem}`);
    const [principal, ...others] = new Set(names.flatMap((name) => this.byName.get(name) ?? []));
    if (principal === undefined) throw refused(`belongs to nobody here: it has ${listed(names)}`);
    if (others.length > 0) throw refused(`belongs to several principals here: it has ${listed(names)}`);
    return principal;
  }
}

function refused(why: string): StoreError {
  return new StoreError(
    'unauthenticated',
    `your client certificate ${why}; use another one or a token, or ask the gateway's operator`,
  );
}

/** Names for people to read: whoever had the certificate signed may have put anything into them. */
function listed(names: readonly string[]): string {
  if (names.length === 0) return 'no names';
  const shown = names.slice(0, maxNames).map((name) => JSON.stringify(name.slice(0, maxNameLength)));
  const rest = names.length > maxNames ? `, and ${names.length - maxNames} more` : '';
  return `the names ${shown.join(', ')}${rest}`.replace(
    /[^ -~]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
