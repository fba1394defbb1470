import { malformed, required } from './errors.js';
import { booleanOf, parseList, type Fields, type Parser } from './list-xml.js';

export interface ListedKey {
  readonly key: string;
  /** In bytes. */
  readonly size: number;
  /** In milliseconds since 1970-01-01 UTC. */
  readonly modifiedMs: number;
}

export interface ListPage {
  readonly keys: readonly ListedKey[];
  /** The token of the next page; undefined if this is the last one. */
  readonly next: string | undefined;
}

/** What an answer to ListObjectsV2 has, as the SDK names it. */
export interface ListAnswer {
  readonly Contents?:
    | readonly {
        readonly Key?: string | undefined;
        readonly Size?: number | undefined;
        readonly LastModified?: Date | undefined;
      }[]
    | undefined;
  readonly EncodingType?: string | undefined;
  readonly IsTruncated?: boolean | undefined;
  readonly NextContinuationToken?: string | undefined;
}

const operation = 'ListObjectsV2';

/**
 * The page that an answer tells of. Throws `unavailable` for one that is incomplete, or has keys that weren't asked for, or whose next page is
 * none.
 *
 * @param asked what this page was asked for with
 */
export function listPage(
  answer: ListAnswer,
  asked: { readonly prefix: string; readonly token: string | undefined },
): ListPage {
  const isEncoded = answer.EncodingType === 'url';
  const keys = (answer.Contents ?? []).map(({ Key, Size, LastModified }) => {
    const modifiedMs = LastModified?.getTime() ?? NaN;
    if (Key === undefined || Size === undefined || !(Size >= 0) || Number.isNaN(modifiedMs)) {
      throw malformed(operation, 'an object lacks its key, size or time');
    }
    const key = askedKey(operation, isEncoded ? decoded(Key) : Key, asked.prefix);
    // The answer to a HEAD tells whole seconds.
    return { key, size: Size, modifiedMs: Math.floor(modifiedMs / 1000) * 1000 };
  });
  if (required(operation, 'word about further pages', answer.IsTruncated) === false) return { keys, next: undefined };
  const next = required(operation, 'token for the next page', answer.NextContinuationToken);
  if (next === asked.token) throw malformed(operation, 'its next page is the same one');
  return { keys, next };
}

/** Reads an answer's XML: Amazon S3 API Reference, ListObjectsV2. Fails where it isn't well-formed or breaks off. */
export async function parseListAnswer(sdk: Parser, body: AsyncIterable<Uint8Array>): Promise<ListAnswer> {
  const { fields, items } = await parseList(sdk, body, { root: 'ListBucketResult', items: ['Contents'] });
  return {
    Contents: items.map(([, each]) => objectOf(each)),
    EncodingType: fields['EncodingType'],
    IsTruncated: booleanOf(fields['IsTruncated']),
    NextContinuationToken: fields['NextContinuationToken'] || undefined,
  };
}

function objectOf({ Key, Size, LastModified }: Fields): {
  Key?: string;
  Size?: number;
  LastModified?: Date;
} {
  return {
    ...(Key !== undefined && { Key }),
    ...(Size !== undefined && Size !== '' && { Size: Number(Size) }),
    ...(LastModified !== undefined && { LastModified: new Date(LastModified) }),
  };
}

/** A key from a list of those that start with `prefix`. Throws `unavailable` for another one, which may be a key that was read wrongly. */
export function askedKey(operation: string, key: string, prefix: string): string {
  if (key !== '' && key.startsWith(prefix)) return key;
  throw malformed(operation, 'it has a key that was not asked for');
}

/** A key from a list whose keys are encoded for URLs, a space as `+`. One that isn't stays as it is. */
export function decoded(key: string): string {
  // Those of objects have nothing to decode, unless the prefix has.
  if (!key.includes('%') && !key.includes('+')) return key;
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return key;
  }
}
