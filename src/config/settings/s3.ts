import type { z } from 'zod';
import { objectLockModes, storageClassProblem } from '../../backends/s3/options.js';
import { setting } from '../setting.js';
import { choice, fields, flagOnByDefault, path, text, trueOrFalse } from '../values.js';

/** What the settings for all stores start with, and the keys of one store's `s3` don't. */
const prefix = 's3-';

/** How to reach S3 services, for s3:// locations. Credentials are never among the settings, only where they are. */
export const s3 = {
  region: setting(
    's3-region',
    text('REGION').optional(),
    'the region of the S3 service',
    "the one in the endpoint's name or the AWS configuration, else us-east-1",
  ),
  pathStyle: setting(
    's3-path-style',
    trueOrFalse().optional(),
    "whether the bucket's name is in the path of requests rather than in the name of the host",
    'true outside AWS',
  ),
  tls: setting(
    's3-tls',
    flagOnByDefault('speak plain HTTP to the S3 service: only for a trusted line').prefault(true),
    'whether the S3 service is reached over TLS; false: plain HTTP, only for a trusted line',
  ),
  ca: setting(
    's3-ca',
    path().optional(),
    "trust the S3 service's certificate if these authorities signed it (PEM), instead of the system's",
  ),
  profile: setting('s3-profile', text('NAME').optional(), 'the profile of the AWS configuration with the credentials'),
  credentialsFile: setting(
    's3-credentials-file',
    path().optional(),
    "AWS's file with the credentials, instead of ~/.aws/credentials",
  ),
  storageClass: setting(
    's3-storage-class',
    storageClass().optional(),
    'the storage class of new objects, as in STANDARD_IA',
    "the bucket's",
  ),
  sseKmsKey: setting(
    's3-sse-kms-key',
    text('ID').optional(),
    'the KMS key, by its id or ARN, that the service encrypts new objects with (SSE-KMS)',
  ),
  sseCustomerKeyFile: setting(
    's3-sse-customer-key-file',
    path().optional(),
    'a file with the key that the service encrypts all objects with (SSE-C): 32 bytes, as they are or in base64',
  ),
  objectLock: setting(
    's3-object-lock',
    choice([...objectLockModes, 'off']).prefault('off'),
    "lock new packfiles and states in the bucket for the store's retention, in this mode: not even the keys of the bucket can delete them " +
      'early (governance: only with a special right)',
  ),
};

/** The values for all stores, by the names that the program has for them. */
export type S3Values = { readonly [F in keyof typeof s3]: z.output<(typeof s3)[F]['schema']> };

/** The same settings for one store: what is missing is as for all stores. */
export const s3OfStore = fields(
  Object.fromEntries(
    Object.values(s3).map(({ name, schema, description }) => [
      keyOf(name),
      schema.unwrap().optional().describe(description),
    ]),
  ),
).transform((written): Partial<S3Values> => {
  const values = Object.entries(s3).map(([field, { name }]) => [field, written[keyOf(name)]]);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined)) as Partial<S3Values>;
});

/** The key that a store's `s3` has for a setting. */
export function keyOf(name: string): string {
  return name.slice(prefix.length);
}

function storageClass() {
  return text('CLASS').superRefine((written, { addIssue }) => {
    const problem = storageClassProblem(written);
    if (problem !== undefined) addIssue(problem);
  });
}
