import { isAbsolute, join, resolve } from 'node:path';
import { StoreError } from '../core/errors.js';
import { formatAddress } from '../core/address.js';
import type { GatewayLocation, Location } from '../backends/location.js';
import { parseSftpLocation } from '../backends/sftp/location.js';
import { isStoreName } from '../core/store-name.js';
import { parseAddress } from './address.js';
import { resolvePath, type Surroundings } from './paths.js';

/** Where gateways listen for gRPC unless they are told otherwise. */
const defaultGatewayPort = 9877;

/**
 * Parses a store's location: a path, `fs:///path`, `sftp://[user@]host[:port]/path` or `grpc[s]://host[:port][/store]`, which is
 * another gateway; plakar's default, `~/.plakar`, where none is given. Or says what is wrong.
 */
export function parseLocation(
  text: string | undefined,
  surroundings: Surroundings,
): Location | { readonly problem: string } {
  if (text === undefined) return { scheme: 'fs', path: join(surroundings.home, '.plakar') };
  if (text === '' || text.includes('\0')) return { problem: 'it is empty or has a NUL in it' };
  const [, scheme, rest] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(.*)$/s.exec(text) ?? [];
  if (scheme === undefined || rest === undefined) {
    return { scheme: 'fs', path: resolvePath(text, surroundings) };
  }
  switch (scheme.toLowerCase()) {
    case 'fs':
      if (isAbsolute(rest)) return { scheme: 'fs', path: resolve(rest) };
      return { problem: 'after fs:// comes an absolute path, as in fs:///var/backups' };
    case 'sftp':
      return parseSftp(text);
    case 'grpc':
    case 'grpcs':
      return parseGateway(scheme.toLowerCase() as 'grpc' | 'grpcs', rest);
    default:
      return {
        problem: 'it has to be a path, fs:///path, sftp://[user@]host[:port]/path or grpc[s]://host[:port][/store]',
      };
  }
}

/** The text isn't repeated in the problem: it may have a password in it. */
function parseSftp(text: string): Location | { problem: string } {
  try {
    return { scheme: 'sftp', ...parseSftpLocation(text) };
  } catch (error) {
    return { problem: StoreError.from(error).message };
  }
}

/** The text isn't repeated in the problem here, either. */
function parseGateway(scheme: GatewayLocation['scheme'], rest: string): Location | { problem: string } {
  const [, address, path = ''] = /^([^/]*)(?:\/(.*))?$/s.exec(rest) ?? [];
  const withPort = address === undefined || /:\d+$/.test(address) ? address : `${address}:${defaultGatewayPort}`;
  const parsed = parseAddress(withPort ?? '');
  const store = path.replace(/\/$/, '');
  if (parsed === undefined || !('host' in parsed) || parsed.host === '' || !isStoreName(store)) {
    return {
      problem: `a gateway's location is ${scheme}://host[:port][/store], and a store's name has letters, digits, '.', '_' and '-', in parts with '/' between them`,
    };
  }
  return { scheme, address: formatAddress(parsed), store };
}
