import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { readOption } from './option-file.js';
import type { S3Options } from './options.js';
import type { Sdk } from './sdk.js';

type Credentials = NonNullable<S3ClientConfig['credentials']>;

/** How old credentials may get that don't tell when they expire, in milliseconds, before their source is asked again. */
const defaultCredentialsMs = 60_000;

/** The SDK asks for others so long before credentials expire, in milliseconds: AWS SDK for JavaScript v3, `EXPIRATION_MS`. */
const renewalMs = 300_000;

/** The store's own, or those of the environment; without any, the SDK's chain finds some. Those from files follow the files. */
export async function credentials(sdk: Sdk, options: S3Options): Promise<Credentials> {
  const { accessKey, env, profile, credentialsFile } = options;
  if (accessKey !== undefined) return { accessKeyId: accessKey.id, secretAccessKey: accessKey.secret };
  if (credentialsFile !== undefined) await readOption('the S3 credentials file', credentialsFile);
  if (profile !== undefined || credentialsFile !== undefined) {
    // Without a profile the chain would ask the environment first.
    return chain(sdk, options, {
      profile: profile ?? 'default',
      ...(credentialsFile && { filepath: credentialsFile }),
    });
  }
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token, AWS_PROFILE } = env;
  if (id === undefined || secret === undefined || AWS_PROFILE !== undefined) return chain(sdk, options);
  return { accessKeyId: id, secretAccessKey: secret, ...(token && { sessionToken: token }) };
}

function chain(
  { defaultProvider }: Sdk,
  { credentialsMs = defaultCredentialsMs }: S3Options,
  where: { readonly profile?: string; readonly filepath?: string } = {},
): Credentials {
  return async (client) => {
    // The chain itself and the SDK's file reader would remember what they found.
    const found = await defaultProvider({ ...where, ignoreCache: true })(client);
    const expiration = found.expiration ?? new Date(Date.now() + renewalMs + credentialsMs);
    return { ...found, expiration };
  };
}
