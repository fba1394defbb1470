/** What a caller may do with a store. */
export const accessLevels = ['none', 'read-only', 'write-only', 'append', 'full'] as const;

/**
 * - `none`: nothing.
 * - `read-only`: read every object.
 * - `write-only`: as `append`, but packfiles can't be read.
 * - `append`: read every object, put packfiles and states, and put, replace and delete locks.
 * - `full`: also delete packfiles and states.
 */
export type Access = (typeof accessLevels)[number];

/**
 * What levels consist of.
 *
 * - `read`: read CONFIG, states and locks; list every kind.
 * - `read-packfiles`: read and stat packfiles.
 * - `append`: put packfiles and states; put, replace and delete locks.
 * - `delete`: delete packfiles and states.
 */
export type Right = 'read' | 'read-packfiles' | 'append' | 'delete';

const rights: Readonly<Record<Access, readonly Right[]>> = {
  none: [],
  'read-only': ['read', 'read-packfiles'],
  'write-only': ['read', 'append'],
  append: ['read', 'read-packfiles', 'append'],
  full: ['read', 'read-packfiles', 'append', 'delete'],
};

export function hasRight(access: Access, right: Right): boolean {
  return rights[access].includes(right);
}

/** The lowest level that allows what either of two allows. */
export function higher(a: Access, b: Access): Access {
  return accessLevels.find((each) => includes(each, a) && includes(each, b)) ?? 'full';
}

/** The highest level that allows no more than each of two allows. Of `read-only` and `write-only`: `none`. */
export function lower(a: Access, b: Access): Access {
  return accessLevels.findLast((each) => includes(a, each) && includes(b, each)) ?? 'none';
}

function includes(access: Access, other: Access): boolean {
  return rights[other].every((right) => hasRight(access, right));
}
