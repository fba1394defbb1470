import type { ObjectKind, ObjectRef } from '../core/object.js';

/** The kinds that are copied, in their order: packfiles before the states that need them. Locks are never copied. */
export const copiedKinds = ['packfile', 'state'] as const satisfies readonly ObjectKind[];

export type CopiedKind = (typeof copiedKinds)[number];

/** A packfile or state. */
export interface CopiedRef extends ObjectRef {
  readonly kind: CopiedKind;
}

/** How many objects, and their bytes. */
export interface Sum {
  readonly objects: number;
  readonly bytes: number;
}

/** The same of each kind. */
export type Sums = Readonly<Record<CopiedKind, Sum>>;

/**
 * An object that is not the same in both stores after a copy, and was left as it is.
 *
 * - `size`, `header`: both have it, with other sizes or other first bytes.
 * - `bytes`: both have it, and the destination refused the source's bytes, or gave back others.
 * - `unreadable`: one of the two stores has it and can't read it.
 * - `refused`: the destination takes no such object: the source's is too short or too large, or not of its kind.
 */
export interface Difference {
  readonly ref: CopiedRef;
  readonly what: 'size' | 'header' | 'bytes' | 'unreadable' | 'refused';
  /** What is wrong, in a phrase for people: `1048576 bytes in the source, 52 in the destination`. */
  readonly text: string;
}

export interface CopyReport {
  /** What was copied. */
  readonly copied: Sums;
  /** How many objects of each kind both stores had already. */
  readonly present: Readonly<Record<CopiedKind, number>>;
  /** What the destination lacks: at a dry run what would be copied, otherwise what couldn't be. */
  readonly missing: Sums;
  readonly differing: readonly Difference[];
}

/** The sum of both kinds. */
export function total({ packfile, state }: Sums): Sum {
  return { objects: packfile.objects + state.objects, bytes: packfile.bytes + state.bytes };
}

/** Adds up objects by kind. */
export class Tally implements Sums {
  readonly packfile = { objects: 0, bytes: 0 };
  readonly state = { objects: 0, bytes: 0 };

  add(kind: CopiedKind, bytes: number, objects = 1): void {
    this[kind].objects += objects;
    this[kind].bytes += bytes;
  }
}
