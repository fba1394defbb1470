import type { S3Settings } from '../../backends/s3/options.js';
import { resolvePath } from '../../lib/paths.js';
import { nameStores } from '../anonymous-access.js';
import type { Path } from '../problems.js';
import { keyOf, s3, type S3Values } from '../settings/s3.js';
import type { StoreConfig } from '../types.js';
import type { Context } from './context.js';

type Field = keyof S3Values;

/**
 * Checks what is set for a store in S3: for all stores, and below its own `s3`.
 *
 * @param path of the store's settings
 * @returns undefined for a store that isn't in S3
 */
export function checkS3(
  context: Context,
  path: Path,
  { location, retentionMs }: Pick<StoreConfig, 'location' | 'retentionMs'>,
  written?: Partial<S3Values>,
): S3Settings | undefined {
  if (location === 'sample' || location.scheme !== 's3') {
    if (written !== undefined && location !== 'sample') {
      context.problem([...path, 's3'], 'this store is not in S3: remove this, or set its location to s3://…', {
        atKey: true,
      });
    }
    return undefined;
  }
  const own = written && withAbsolutePaths(context, written);
  const values = { ...inherited(context.values.s3, own), ...own };
  /** Where a value was set. */
  const at = (field: Field): Path => {
    const { name } = s3[field];
    return own !== undefined && Object.hasOwn(own, field) ? [...path, 's3', keyOf(name)] : [name];
  };
  if (values.sseCustomerKeyFile !== undefined) {
    if (values.sseKmsKey !== undefined) {
      context.problem(at('sseCustomerKeyFile'), 'there is a KMS key as well: objects are encrypted with one of them');
    }
    if (!values.tls) context.problem(at('sseCustomerKeyFile'), 'the key is sent with every request, so it needs TLS');
  }
  const { objectLock, ...others } = values;
  if (objectLock !== 'off' && retentionMs === 0) {
    context.problem(
      at('objectLock'),
      `objects are locked for the retention of the store, and ${nameStores([String(path[1] ?? '')])} has none: set its retention`,
    );
  }
  return { ...defined(others), tls: values.tls, ...(objectLock !== 'off' && { objectLock }) };
}

/** The values for all stores. A store's own way of encryption replaces another one. */
function inherited(values: S3Values, own: Partial<S3Values> = {}): S3Values {
  if (own.sseKmsKey === undefined && own.sseCustomerKeyFile === undefined) return values;
  return { ...values, sseKmsKey: undefined, sseCustomerKeyFile: undefined };
}

/** Paths in a store's `s3` are relative to the folder of the file. */
function withAbsolutePaths(context: Context, written: Partial<S3Values>): Partial<S3Values> {
  const surroundings = context.origins.surroundingsOf('stores');
  const entries = Object.entries(written).map(([field, value]) => [
    field,
    s3[field as Field].form?.isPath === true && typeof value === 'string' ? resolvePath(value, surroundings) : value,
  ]);
  return Object.fromEntries(entries) as Partial<S3Values>;
}

function defined<T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
