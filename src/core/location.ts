/** Where a store is. */
export interface Location {
  readonly scheme: 'fs';
  /** Absolute. */
  readonly path: string;
}

/** A location as people write it. */
export function formatLocation({ path }: Location): string {
  return path;
}
