import { isAlias, isCollection, isMap, isNode, isScalar, isSeq, type Document, type Pair } from 'yaml';
import type { Problem } from './problems.js';

/**
 * The offset of a problem in a document's text: of the value, or of its key if the value is a collection or the problem is the key.
 * If the path doesn't exist, it is the offset of the last part that does.
 */
export function findOffset(document: Document, { path, atKey }: Pick<Problem, 'path' | 'atKey'>): number {
  let node: unknown = document.contents;
  let offset = offsetOf(node) ?? 0;
  for (const [i, key] of path.entries()) {
    const holder: unknown = isAlias(node) ? node.resolve(document) : node;
    const last = i === path.length - 1;
    if (isMap(holder)) {
      const pair = holder.items.find((each) => keyOf(each) === key);
      if (pair === undefined) break;
      node = pair.value;
      const valueOnly = last && atKey !== true && !isCollection(node);
      offset = (valueOnly ? offsetOf(node) : undefined) ?? offsetOf(pair.key) ?? offset;
    } else if (isSeq(holder) && typeof key === 'number' && holder.items[key] !== undefined) {
      node = holder.items[key];
      offset = offsetOf(node) ?? offset;
    } else break;
  }
  return offset;
}

/** Where a node starts in the document's text; undefined for a node that isn't from a text. */
export function offsetOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

function keyOf({ key }: Pair): string {
  return isScalar(key) ? String(key.value ?? '') : '';
}
