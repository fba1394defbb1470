import type { Backend, OpenOptions } from '../backend.js';
import { S3Bucket } from './client.js';
import { connectorOptions, withConnectorOptions } from './connector.js';
import { makeConfig } from './creation.js';
import { Keys } from './keys.js';
import { form, formatS3Location, parseS3Location, type S3Location } from './location.js';
import type { S3Options } from './options.js';
import { S3Store } from './s3-store.js';
import { startError } from './start-error.js';

/** Stores in S3 and the services that offer its API. */
export const s3: Backend<S3Location> = {
  schemes: ['s3'],
  form,
  parse: parseS3Location,
  format: formatS3Location,
  withConnectorOptions,

  async open(location, options, log) {
    try {
      const bucket = await S3Bucket.open(location, s3Options(options));
      return await S3Store.open(bucket, { ...options, prefix: location.prefix }, log);
    } catch (error) {
      throw startError(error, location);
    }
  },

  async create(location, config, options) {
    try {
      const bucket = await S3Bucket.open(location, s3Options(options));
      await makeConfig(bucket, new Keys(location.prefix), config).finally(() => bucket.close());
    } catch (error) {
      throw startError(error, location);
    }
  },
};

/** The options of plakar's own S3 connector take precedence over the settings. */
function s3Options({ s3 = { tls: true }, user, connector }: OpenOptions): S3Options {
  return { ...s3, ...(connector && connectorOptions(connector.options)), env: user.env };
}
