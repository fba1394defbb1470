/** What a caller may do with a store. Each level includes the ones before it. */
export const accessLevels = ['none', 'read-only', 'append', 'full'] as const;

/**
 * - `none`: nothing.
 * - `read-only`: read every object.
 * - `append`: also put packfiles and states, and put, replace and delete locks.
 * - `full`: also delete packfiles and states.
 */
export type Access = (typeof accessLevels)[number];

/** Whether `access` is at least `needed`. */
export function allows(access: Access, needed: Access): boolean {
  return accessLevels.indexOf(access) >= accessLevels.indexOf(needed);
}
