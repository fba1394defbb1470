import {
  credentials,
  InterceptingCall,
  type ChannelCredentials,
  type ChannelOptions,
  type Interceptor,
} from '@grpc/grpc-js';

/** How a client reaches its store. */
export interface ClientOptions {
  /** The store's name; by default the one without. */
  readonly store?: string;
  /** Sent with every request, as its header or metadata `authorization`. */
  readonly authorization?: string;
  /** Over TLS, to a gateway that is `localhost`: whom to trust, and who the client is, in PEM. */
  readonly tls?: { readonly ca: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
  /** Whether an HTTP connection has one request only, so that a load balancer gives each to the next gateway. Without TLS. */
  readonly oneRequestEach?: boolean;
}

/** What a gRPC client is made of. */
export function grpcOptions(options: ClientOptions): {
  credentials: ChannelCredentials;
  channel: ChannelOptions & { interceptors: Interceptor[] };
} {
  const { tls } = options;
  const interceptor: Interceptor = (callOptions, next) =>
    new InterceptingCall(next(callOptions), {
      start: (metadata, listener, start) => {
        // Looked at for each call: a test may change it.
        if (options.authorization !== undefined) metadata.set('authorization', options.authorization);
        start(metadata, listener);
      },
    });
  return {
    credentials: tls ? credentials.createSsl(tls.ca, tls.key ?? null, tls.cert ?? null) : credentials.createInsecure(),
    channel: { interceptors: [interceptor], ...(tls && { 'grpc.ssl_target_name_override': 'localhost' }) },
  };
}

/** The path of a store in front of the HTTP API's own. */
export function prefixOf({ store = '' }: ClientOptions): string {
  return store === '' ? '' : `/${store}`;
}
