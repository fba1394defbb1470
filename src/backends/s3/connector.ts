import { StoreError } from '../../core/errors.js';
import { parseCustomerKey } from './customer-key.js';
import { checkedBucket, checkedEndpoint, checkedPort, checkedPrefix, type S3Location } from './location.js';
import { storageClassProblem, type S3Options } from './options.js';

/* The options of plakar's own S3 connector (PlakarKorp/integrations, s3/v1.1.5: storage/storage.go, common/common.go). */

type ConnectorOptions = Readonly<Record<string, string>>;

/**
 * The location with plakar's options. With `virtual_host`, the host in it is `BUCKET.ENDPOINT` and its whole path the prefix; with another
 * `endpoint`, that is the bucket. `port` applies where there is none; `root` is `/PREFIX` or `/BUCKET/PREFIX`. Throws `invalid_argument`.
 */
export function withConnectorOptions(location: S3Location, options: ConnectorOptions): S3Location {
  const { endpoint, bucket, prefix } = withRoot(withEndpoint(location, options), options['root']);
  const { port } = options;
  const isWithoutPort = !/:\d+$/.test(endpoint);
  return {
    scheme: 's3',
    endpoint: isWithoutPort && port !== undefined ? `${endpoint}:${checkedPort(port)}` : endpoint,
    bucket: checkedBucket(bucket),
    prefix: checkedPrefix(prefix),
  };
}

/** What plakar's options say of everything else. Throws `invalid_argument`. */
export function connectorOptions(options: ConnectorOptions): Partial<S3Options> {
  const { access_key: id, secret_access_key: secret, sse_customer_key: key, region } = options;
  if ((id === undefined) !== (secret === undefined))
    throw invalid('access_key and secret_access_key need each other: set both, or neither');
  const sseCustomerKey = key === undefined || key === '' ? undefined : parseCustomerKey(key);
  if (key !== undefined && key !== '' && sseCustomerKey === undefined)
    throw invalid('sse_customer_key has to be 32 bytes in base64');
  const storageClass = options['storage_class']?.toUpperCase();
  const problem = storageClass === undefined ? undefined : storageClassProblem(storageClass);
  if (problem !== undefined) throw invalid(`storage_class: ${problem}`);
  return {
    ...(id !== undefined && secret !== undefined && { accessKey: { id, secret } }),
    ...(region !== undefined && region !== '' && { region }),
    tls: isTrue(options, 'use_tls') ?? true,
    insecureSkipVerify: isTrue(options, 'tls_insecure_no_verify') ?? false,
    ...(storageClass !== undefined && { storageClass }),
    ...(isTrue(options, 'virtual_host') === true && { pathStyle: false }),
    ...(sseCustomerKey !== undefined && { sseCustomerKey }),
  };
}

function withEndpoint(location: S3Location, options: ConnectorOptions): S3Location {
  const written = options['endpoint']
    ?.trim()
    .replace(/^https?:\/\//, '')
    .replace(/^\.|\/$/g, '');
  const isVirtualHost = isTrue(options, 'virtual_host') === true;
  if (written === undefined || written === '') {
    if (isVirtualHost) throw invalid('virtual_host needs endpoint');
    return location;
  }
  const endpoint = checkedEndpoint(written);
  if (!isVirtualHost && endpoint === location.endpoint) return location;
  const host = location.endpoint.replace(/:\d+$/, '');
  const suffix = isVirtualHost ? `.${endpoint.replace(/:\d+$/, '')}` : '';
  if (!host.endsWith(suffix)) throw invalid('virtual_host needs a location that starts with s3://BUCKET.ENDPOINT');
  const prefix = [location.bucket, location.prefix].filter((part) => part !== '').join('/');
  return { ...location, endpoint, bucket: host.slice(0, host.length - suffix.length), prefix };
}

function withRoot(location: S3Location, root: string | undefined): S3Location {
  const prefix = root?.replace(/^\/|\/$/g, '');
  if (prefix === undefined || prefix === '') return location;
  const { bucket } = location;
  if (prefix === bucket || prefix.startsWith(`${bucket}/`)) {
    return { ...location, prefix: prefix.slice(bucket.length + 1) };
  }
  if (location.prefix !== '' && location.prefix !== prefix)
    throw invalid('root is another prefix than the location has');
  return { ...location, prefix };
}

/** As Go's ParseBool reads it. */
function isTrue(options: ConnectorOptions, name: string): boolean | undefined {
  const written = options[name];
  if (written === undefined) return undefined;
  if (/^(1|t|T|TRUE|true|True)$/.test(written)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(written)) return false;
  throw invalid(`${name} has to be true or false`);
}

function invalid(what: string): StoreError {
  return new StoreError('invalid_argument', what);
}
