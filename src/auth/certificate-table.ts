import type { PrincipalConfig } from '../config/types.js';
import { canonicalCertificateName, type PeerCertificate } from '../core/caller.js';
import { StoreError } from '../core/errors.js';

/** How much of a certificate's names an error message repeats. */
const maxNames = 5;
const maxNameLength = 100;

/** Maps the names in client certificates to principals. */
export class CertificateTable {
  private readonly byName = new Map<string, readonly PrincipalConfig[]>();

  constructor(principals: readonly PrincipalConfig[]) {
    for (const principal of principals) {
      for (const name of principal.certificates.map(canonicalCertificateName)) {
        this.byName.set(name, [...(this.byName.get(name) ?? []), principal]);
      }
    }
  }

  /** The certificate's principal. Throws `unauthenticated` if it isn't trusted, or belongs to no principal or to several. */
  principalOf({ names, problem }: PeerCertificate): PrincipalConfig {
    if (problem !== undefined) throw refused(`isn't accepted: ${problem}`);
    const [principal, ...others] = new Set(names.flatMap((name) => this.byName.get(name) ?? []));
    if (principal === undefined) throw refused(`belongs to no principal here: it has ${listed(names)}`);
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

/** Names in an error message, escaped, because they may contain anything. */
function listed(names: readonly string[]): string {
  if (names.length === 0) return 'no names';
  const shown = names.slice(0, maxNames).map((name) => JSON.stringify(name.slice(0, maxNameLength)));
  const rest = names.length > maxNames ? `, and ${names.length - maxNames} more` : '';
  return `the names ${shown.join(', ')}${rest}`.replace(
    /[^ -~]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
