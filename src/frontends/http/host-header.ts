import { StoreError } from '../../core/errors.js';

const host = /^(\[[0-9A-Fa-f:.]+(%25[\w.~-]+)?\]|[\w.~!$&'()*+,;=%-]*)(:\d*)?$/;

/**
 * Checks the host that a request names (RFC 9112, 3.2), which Node leaves to its users: a proxy in front may read another one there. HTTP/2 has
 * it as `:authority`. Throws `invalid_argument` where there are two, or one that can't be a host with or without a port.
 *
 * @param rawHeaders names and values in turns
 */
export function checkHost(rawHeaders: readonly string[]): void {
  let found: string | undefined;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]?.toLowerCase();
    if (name !== 'host' && name !== ':authority') continue;
    const value = rawHeaders[i + 1] ?? '';
    if (!host.test(value) || (found !== undefined && found !== value)) {
      throw new StoreError('invalid_argument', 'invalid Host header: it has to be one host, with or without a port');
    }
    found = value;
  }
}
