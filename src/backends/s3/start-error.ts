import { StoreError } from '../../core/errors.js';
import { failureIn, type S3Failure } from './errors.js';
import type { S3Location } from './location.js';

/** What is wrong, for the operator, and what to do. */
type Words = (location: S3Location, failure: S3Failure) => string;

const noConnection: Words = ({ endpoint }, { reason }) =>
  `${endpoint} can't be reached (${reason}): check the endpoint and its port in the location, and that the service runs`;

const noTls: Words = ({ endpoint }) =>
  `${endpoint} doesn't answer in TLS: if it speaks plain HTTP on a trusted line, set s3-tls to false (--no-s3-tls)`;

const untrusted: Words = ({ endpoint }, { detail }) =>
  `the certificate of ${endpoint} is not trusted (${detail}): name the file with its authority in s3-ca`;

const wrongKey: Words = () =>
  "the service doesn't know the access key: check AWS_ACCESS_KEY_ID, or the profile or credentials file of the store";

const wrongSecret: Words = () =>
  'the secret key is not the one of this access key: check AWS_SECRET_ACCESS_KEY, or the profile or credentials file of the store';

const expired: Words = () => 'the credentials are no longer valid: renew them';

const skewed: Words = () =>
  "the clock of this machine differs too much from the service's (15 minutes at AWS): set it, best by NTP";

const noBucket: Words = ({ bucket }) =>
  `there is no bucket ${bucket}: check the location, or make the bucket and a store in it with \`plakar at … create\``;

const wrongRegion: Words = ({ bucket }, { bucketRegion }) =>
  bucketRegion === undefined
    ? `bucket ${bucket} is in another region than the one that requests are signed for: set s3-region`
    : `bucket ${bucket} is in region ${bucketRegion}, and requests are signed for another one: set s3-region to ${bucketRegion}`;

const denied: Words = ({ bucket }) =>
  `the service denies the gateway's key what it needs in bucket ${bucket}: docs/s3.md has the rights that the key has to have`;

const noCredentials: Words = (_, { detail }) =>
  `there are no usable credentials (${detail}): set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile or a credentials file for the store`;

/**
 * By the code of the answer (Amazon S3 API Reference, "Error responses"), Node's code of a failed connection, or the SDK's name of an error
 * without an answer.
 */
const words: Readonly<Record<string, Words>> = {
  InvalidAccessKeyId: wrongKey,
  XAdminUserNotFound: wrongKey,
  SignatureDoesNotMatch: wrongSecret,
  ExpiredToken: expired,
  InvalidToken: expired,
  TokenRefreshRequired: expired,
  RequestTimeTooSkewed: skewed,
  RequestExpired: skewed,
  NoSuchBucket: noBucket,
  AuthorizationHeaderMalformed: wrongRegion,
  PermanentRedirect: wrongRegion,
  TemporaryRedirect: wrongRegion,
  IllegalLocationConstraintException: wrongRegion,
  InvalidRegion: wrongRegion,
  AccessDenied: denied,
  AllAccessDisabled: denied,
  AccountProblem: denied,
  CredentialsProviderError: noCredentials,
  TokenProviderError: noCredentials,
  ECONNREFUSED: noConnection,
  ECONNRESET: noConnection,
  EHOSTUNREACH: noConnection,
  ENETUNREACH: noConnection,
  ENOTFOUND: noConnection,
  EAI_AGAIN: noConnection,
  ETIMEDOUT: noConnection,
  TimeoutError: noConnection,
  EPROTO: noTls,
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: noTls,
  CERT_HAS_EXPIRED: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  ERR_TLS_CERT_ALTNAME_INVALID: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
};

/** Whether it is known what is wrong with the keys, the location, the region or the clock: it says nothing of what the service can do. */
export function isKnownMistake({ reason }: S3Failure): boolean {
  return Object.hasOwn(words, reason);
}

/**
 * The error for a failure to open a store. Unlike others its message names the bucket, the host and what was answered: it goes to the operator,
 * and to no client.
 */
export function startError(error: unknown, location: S3Location): StoreError {
  const { code, message } = StoreError.from(error);
  const failure = failureIn(error);
  if (failure === undefined || code === 'not_found') return StoreError.from(error);
  const text = words[failure.reason]?.(location, failure) ?? `${message} (${failure.message})`;
  return new StoreError(code, text, { cause: failure });
}
