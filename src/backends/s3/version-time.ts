const digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Before this no server had versions with such ids; in milliseconds since 1970-01-01 UTC. */
const earliestMs = Date.UTC(2020, 0, 1);

/**
 * When a version or marker came to be, in milliseconds since 1970-01-01 UTC.
 *
 * That is what the service says, except that versitygw 1.8.0 says of versions when they were replaced or deleted, and of markers when the
 * object arrived, since those are the times of its files. But its ids are ULIDs, which begin with 48 bits of the real time
 * (github.com/ulid/spec).
 */
export function versionTime(versionId: string, lastModifiedMs: number): number {
  if (!/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(versionId)) return lastModifiedMs;
  const ms = [...versionId.slice(0, 10)].reduce((value, digit) => value * 32 + digits.indexOf(digit), 0);
  // Ids of other services may look the same by chance.
  return ms >= earliestMs && ms <= Date.now() + 86_400_000 ? ms : lastModifiedMs;
}
