import { formatSftpLocation, type SftpLocation } from './sftp-location.js';

/** Where a store is. */
export type Location = LocalLocation | ({ readonly scheme: 'sftp' } & SftpLocation);

/** A folder of this machine. */
export interface LocalLocation {
  readonly scheme: 'fs';
  /** Absolute. */
  readonly path: string;
}

/** A location as people write it. */
export function formatLocation(location: Location): string {
  return location.scheme === 'fs' ? location.path : formatSftpLocation(location);
}
