/** What requests to an S3 service need beside the location. Paths are absolute. */
export interface S3Settings {
  /** Default: the one in the name of the endpoint, else that of the AWS configuration, else `us-east-1`. */
  readonly region?: string;
  /** Whether the bucket is in the path of requests rather than in the name of the host. Default: outside AWS. */
  readonly pathStyle?: boolean;
  /** A PEM file with the authorities to trust instead of the system's. */
  readonly ca?: string;
  /** Whether requests use TLS; otherwise plain HTTP. */
  readonly tls: boolean;
  /** The storage class of new objects. Default: the bucket's. */
  readonly storageClass?: string;
  /** The id or ARN of the KMS key that the service encrypts new objects with. */
  readonly sseKmsKey?: string;
  /** A file with the key that the service encrypts all objects with (SSE-C). See `readCustomerKey`. */
  readonly sseCustomerKeyFile?: string;
  /** The profile of the AWS configuration that has the credentials. */
  readonly profile?: string;
  /** The file of credentials to read instead of `~/.aws/credentials`. */
  readonly credentialsFile?: string;
  /** The mode in which new packfiles and states are locked for the store's retention. Default: not locked. */
  readonly objectLock?: ObjectLockMode;
}

/** The modes of S3 Object Lock: `governance` can be bypassed with a right of its own, `compliance` in no way. */
export const objectLockModes = ['governance', 'compliance'] as const;

export type ObjectLockMode = (typeof objectLockModes)[number];

/** Why new objects can't have a storage class; undefined if they can. Services other than AWS have classes of their own. */
export function storageClassProblem(name: string): string | undefined {
  if (name === 'GLACIER' || name === 'DEEP_ARCHIVE') {
    return 'objects of this class have to be restored before they can be read: GLACIER_IR is the archive that needs no restoring';
  }
  return /^[A-Z][A-Z0-9_]*$/.test(name) ? undefined : 'must be the name of a storage class, as in STANDARD_IA';
}

/** How long the first answer of a service may take, in milliseconds: a service that isn't there has to be told of at the start. */
export const firstAnswerMs = 5000;

/** Everything about a store in S3 that isn't in its location. */
export interface S3Options extends S3Settings {
  /** The environment: `AWS_…` variables have credentials. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Only in plakar's plugin: takes precedence over all other credentials. */
  readonly accessKey?: { readonly id: string; readonly secret: string };
  /** Only in plakar's plugin: 32 bytes, instead of `sseCustomerKeyFile`. */
  readonly sseCustomerKey?: Buffer;
  /** Only in plakar's plugin: whether to accept any certificate. */
  readonly insecureSkipVerify?: boolean;
  /** For how long the service may send nothing while it is waited for, in milliseconds. Default: 30 seconds. */
  readonly silenceMs?: number;
  /** How old credentials from files may get before the files are read again, in milliseconds. Default: a minute. */
  readonly credentialsMs?: number;
}
