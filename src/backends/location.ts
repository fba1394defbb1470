import { formatSftpLocation, type SftpLocation } from './sftp/location.js';

/** Where a store is. */
export type Location = LocalLocation | ({ readonly scheme: 'sftp' } & SftpLocation) | GatewayLocation;

/** A folder of this machine. */
export interface LocalLocation {
  readonly scheme: 'fs';
  /** Absolute. */
  readonly path: string;
}

/** A store of another gateway. */
export interface GatewayLocation {
  /** In the clear, or over TLS. */
  readonly scheme: 'grpc' | 'grpcs';
  /** `host:port`. */
  readonly address: string;
  /** The store's name there; empty for the default one. */
  readonly store: string;
}

/** A location as people write it. */
export function formatLocation(location: Location): string {
  switch (location.scheme) {
    case 'fs':
      return location.path;
    case 'sftp':
      return formatSftpLocation(location);
    case 'grpc':
    case 'grpcs':
      return `${location.scheme}://${location.address}${location.store === '' ? '' : `/${location.store}`}`;
  }
}
