import { isIPv6 } from 'node:net';
import { StoreError } from '../../core/errors.js';
import { parsePort, percentDecoded } from '../location-parts.js';

/** Where a store is in an S3 service. */
export interface S3Location {
  readonly scheme: 's3';
  /** `host` or `host:port`, in lower case, with brackets around an IPv6 address. */
  readonly endpoint: string;
  readonly bucket: string;
  /** What the store's keys start with, without the slash that follows: `''`, `a` or `a/b`. */
  readonly prefix: string;
}

/** How a location is written. */
export const form = 's3://endpoint[:port]/bucket[/prefix]';

const pattern = /^s3:\/\/([^/?#]*)(?:\/([^/?#]*)(?:\/([^?#]*))?)?([?#].*)?$/is;

const endpointPattern = /^(\[[^\]]*\]|[^:[\]]*)(?::(.*))?$/s;

/** Names of hosts as services and containers have them, underscores included. */
const hostPattern = /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?$/i;

/** The names that services allow; AWS's own rules for new buckets are stricter. */
const bucketPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{2,254}$/;

/** A key has at most 1024 bytes in UTF-8, and what follows the prefix less than 124. */
const maxPrefixBytes = 900;

/**
 * Parses `s3://endpoint[:port]/bucket[/prefix]`, where the prefix may be percent-encoded and a slash may follow it. Throws
 * `invalid_argument` with what is wrong, without repeating the text.
 */
export function parseS3Location(text: string): S3Location {
  const [, endpoint, bucket = '', prefix = '', rest] = pattern.exec(text) ?? [];
  if (endpoint === undefined) throw invalid(`it has to look like ${form}`);
  if (rest !== undefined) throw invalid('it has a ? or # in it: write %3F or %23 if the prefix has one');
  return {
    scheme: 's3',
    endpoint: checkedEndpoint(endpoint),
    bucket: checkedBucket(bucket),
    prefix: checkedPrefix(percentDecoded(prefix, invalid)),
  };
}

/** The text that `parseS3Location` reads as this location. */
export function formatS3Location({ endpoint, bucket, prefix }: S3Location): string {
  const encoded = prefix.split('/').map(encodeURIComponent).join('/');
  return `s3://${endpoint}/${bucket}${prefix === '' ? '' : `/${encoded}`}`;
}

/** An endpoint in the form that a location has. Throws `invalid_argument`. */
export function checkedEndpoint(text: string): string {
  if (text.includes('@')) {
    throw invalid(
      'it has a key or a password in it, which others could see: use the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile',
    );
  }
  const [, host = '', port] = endpointPattern.exec(text) ?? [];
  if (host === '') throw invalid(`there is no endpoint in it: it has to look like ${form}`);
  const isAddress = host.startsWith('[') && isIPv6(host.slice(1, -1)) && !host.includes('%');
  if (!isAddress && !hostPattern.test(host)) throw invalid('its endpoint is neither a name nor an address');
  return `${host.toLowerCase()}${port === undefined ? '' : `:${checkedPort(port)}`}`;
}

/** Throws `invalid_argument`. */
export function checkedPort(text: string): number {
  return parsePort(text, invalid);
}

/** Throws `invalid_argument`. */
export function checkedBucket(bucket: string): string {
  if (bucket === '') throw invalid(`there is no bucket in it: it has to look like ${form}`);
  if (!bucketPattern.test(bucket)) {
    throw invalid("its bucket's name has other characters than letters, digits, '.', '_' and '-', or fewer than three");
  }
  return bucket;
}

/**
 * A prefix without the slash at its end. Parts that are empty, `.` or `..` are refused: clients and services resolve them, each in its own
 * way. Throws `invalid_argument`.
 */
export function checkedPrefix(text: string): string {
  if (text === '') return '';
  const prefix = text.endsWith('/') ? text.slice(0, -1) : text;
  if (prefix.split('/').some((part) => part === '' || part === '.' || part === '..')) {
    throw invalid("its prefix has a part that is empty, '.' or '..'");
  }
  if (/[\p{Cc}\p{Cs}]/u.test(prefix)) throw invalid('its prefix has control characters, or text that is not Unicode');
  if (Buffer.byteLength(prefix) > maxPrefixBytes) throw invalid(`its prefix has more than ${maxPrefixBytes} bytes`);
  return prefix;
}

function invalid(what: string, cause?: unknown): StoreError {
  return new StoreError('invalid_argument', `invalid S3 location: ${what}`, { cause });
}
