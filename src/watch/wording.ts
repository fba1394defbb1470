import type { Session } from './session.js';

export { durationText } from '../lib/duration-text.js';

/** A number of bytes in a binary unit, with two digits: `1.5 GiB`. */
export function bytesText(bytes: number): string {
  const exponent = [4, 3, 2, 1].find((each) => bytes >= 1024 ** each) ?? 0;
  const value = bytes / 1024 ** exponent;
  return `${exponent > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][exponent]}`;
}

/** A store in a sentence. */
export function storeText(name: string): string {
  return name === '' ? 'the default store' : name;
}

/** What a session was about, in a sentence without its end: `web-1 deleted 3 objects of teams/blue`. */
export function sessionText({
  kind,
  outcome,
  store,
  principal,
  reason,
  newObjects,
  deletedObjects,
  newBytes,
}: Session): string {
  const where = storeText(store);
  if (kind === 'backup' && outcome === 'failed') {
    return `the backup of ${principal} into ${where} failed${reason === undefined ? '' : `: ${reason}`}`;
  }
  if (kind === 'backup') return `${principal} backed up ${bytesText(newBytes)} of new data into ${where}`;
  if (kind === 'removal')
    return `${principal} removed ${newObjects === 1 ? 'a snapshot' : `${newObjects} snapshots`} of ${where}`;
  if (kind === 'maintenance' && deletedObjects === 0)
    return `${principal} put states into ${where} without a backup: maintenance, or a removal of snapshots`;
  if (kind === 'maintenance') {
    const objects = deletedObjects === 1 ? '1 object' : `${deletedObjects} objects`;
    return `${principal} deleted ${objects} of ${where}`;
  }
  return `${principal} read ${where}`;
}
