import { malformed, required } from './errors.js';
import { askedKey, decoded } from './list-page.js';
import { booleanOf, parseList, type Fields, type Parser } from './list-xml.js';
import { versionTime } from './version-time.js';

/** A version of an object, or the marker that a delete leaves in a bucket that keeps versions. */
export interface Version {
  readonly key: string;
  readonly versionId: string;
  readonly isMarker: boolean;
  /** Whether it is what a GET without a version gets. */
  readonly isLatest: boolean;
  /** In bytes; 0 of markers. */
  readonly size: number;
  /** When it came to be, in milliseconds since 1970-01-01 UTC; many services tell whole seconds, rounded down. */
  readonly modifiedMs: number;
}

/** Where a list goes on. */
export interface VersionsMarker {
  readonly key: string;
  readonly versionId: string | undefined;
}

export interface VersionsPage {
  /** By key, each key's newest first. */
  readonly versions: readonly Version[];
  /** Undefined if this is the last page. */
  readonly next: VersionsMarker | undefined;
}

interface Entry {
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly IsLatest?: boolean | undefined;
  readonly LastModified?: Date | undefined;
}

/** What an answer to ListObjectVersions has, as the SDK names it. */
export interface VersionsAnswer {
  readonly Versions?: readonly (Entry & { readonly Size?: number | undefined })[] | undefined;
  readonly DeleteMarkers?: readonly Entry[] | undefined;
  readonly EncodingType?: string | undefined;
  readonly IsTruncated?: boolean | undefined;
  readonly NextKeyMarker?: string | undefined;
  readonly NextVersionIdMarker?: string | undefined;
}

const operation = 'ListObjectVersions';

/**
 * The page that an answer tells of. Throws `unavailable` for one that is incomplete, or has keys that weren't asked for, or whose next page is
 * none.
 *
 * @param asked what this page was asked for with
 */
export function versionsPage(
  answer: VersionsAnswer,
  { prefix, marker }: { readonly prefix: string; readonly marker: VersionsMarker | undefined },
): VersionsPage {
  const keyOf = (key: string): string => (answer.EncodingType === 'url' ? decoded(key) : key);
  const read = ({ Key, VersionId, IsLatest, LastModified }: Entry, size: number | undefined): Version => {
    const lastModifiedMs = LastModified?.getTime() ?? NaN;
    if (Key === undefined || !VersionId || IsLatest === undefined || size === undefined || Number.isNaN(lastModifiedMs))
      throw malformed(operation, 'a version lacks its key, id, size or time, or whether it is the latest');
    const modifiedMs = versionTime(VersionId, lastModifiedMs);
    return {
      key: askedKey(operation, keyOf(Key), prefix),
      versionId: VersionId,
      isMarker: false,
      isLatest: IsLatest,
      size,
      modifiedMs,
    };
  };
  const markers = (answer.DeleteMarkers ?? []).map((entry) => ({ ...read(entry, 0), isMarker: true }));
  const versions = inOrder([markers, (answer.Versions ?? []).map((entry) => read(entry, entry.Size))]);
  if (!required(operation, 'word about further pages', answer.IsTruncated)) return { versions, next: undefined };
  const key = keyOf(required(operation, 'marker for the next page', answer.NextKeyMarker));
  const next = { key, versionId: answer.NextVersionIdMarker || undefined };
  if (next.key === marker?.key && next.versionId === marker.versionId)
    throw malformed(operation, 'its next page is the same one');
  return { versions, next };
}

/** Reads an answer's XML: Amazon S3 API Reference, ListObjectVersions. Fails where it isn't well-formed or breaks off. */
export async function parseVersionsAnswer(sdk: Parser, body: AsyncIterable<Uint8Array>): Promise<VersionsAnswer> {
  const form = { root: 'ListVersionsResult', items: ['Version', 'DeleteMarker'] };
  const { fields, items } = await parseList(sdk, body, form);
  const named = (wanted: string): ReturnType<typeof entryOf>[] =>
    items.filter(([name]) => name === wanted).map(([, each]) => entryOf(each));
  return {
    Versions: named('Version'),
    DeleteMarkers: named('DeleteMarker'),
    EncodingType: fields['EncodingType'],
    IsTruncated: booleanOf(fields['IsTruncated']),
    NextKeyMarker: fields['NextKeyMarker'] || undefined,
    NextVersionIdMarker: fields['NextVersionIdMarker'],
  };
}

function entryOf({ Key, VersionId, IsLatest, LastModified, Size }: Fields): Entry & { readonly Size?: number } {
  return {
    ...{ Key, VersionId, IsLatest: booleanOf(IsLatest) },
    ...(LastModified !== undefined && { LastModified: new Date(LastModified) }),
    ...(Size && { Size: Number(Size) }),
  };
}

/**
 * Merges markers and versions, which the SDK and some services give apart, by key and time. Each list is in the service's order, which holds also where times
 * don't tell: those of a second look the same.
 */
function inOrder([markers, versions]: readonly [readonly Version[], readonly Version[]]): Version[] {
  const merged: Version[] = [];
  let next = 0;
  for (const version of versions) {
    for (let marker = markers[next]; marker && isBefore(marker, version); marker = markers[++next]) merged.push(marker);
    merged.push(version);
  }
  return [...merged, ...markers.slice(next)];
}

function isBefore(marker: Version, version: Version): boolean {
  if (marker.key !== version.key) return Buffer.compare(Buffer.from(marker.key), Buffer.from(version.key)) < 0;
  if (marker.isLatest || version.isLatest) return marker.isLatest;
  return marker.modifiedMs >= version.modifiedMs;
}
