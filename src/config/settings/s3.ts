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
    "whether the bucket's name is in the path of requests instead of the host name",
    'true outside AWS',
  ),
  tls: setting(
    's3-tls',
    flagOnByDefault('use plain HTTP for the S3 service, only on a trusted network').prefault(true),
    'whether to use TLS for the S3 service; false: plain HTTP, only on a trusted network',
  ),
  ca: setting(
    's3-ca',
    path().optional(),
    "the authorities that may sign the S3 service's certificate (PEM), instead of the system's",
  ),
  profile: setting(
    's3-profile',
    text('NAME').optional(),
    'the profile in the AWS configuration that has the credentials',
  ),
  credentialsFile: setting(
    's3-credentials-file',
    path().optional(),
    'the AWS credentials file, instead of ~/.aws/credentials',
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
    'the ID or ARN of the KMS key with which the service encrypts new objects (SSE-KMS)',
  ),
  sseCustomerKeyFile: setting(
    's3-sse-customer-key-file',
    path().optional(),
    'a file with the key with which the service encrypts all objects (SSE-C): 32 bytes, raw or in base64',
  ),
  objectLock: setting(
    's3-object-lock',
    choice([...objectLockModes, 'off']).prefault('off'),
    "lock new packfiles and states in the bucket for the store's retention: no key of the bucket can delete them early (in governance mode, " +
      'only one with a special right)',
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
