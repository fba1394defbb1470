import { credentials, Metadata, type CallOptions as GrpcOptions, type ChannelCredentials } from '@grpc/grpc-js';
import { StoreServiceClient } from '../../gen/kloset/store/v1/store.js';

/** How the gateway proves who it is, and the client who it is. All are PEM texts. */
export interface TlsOptions {
  /** Certificates of authorities to trust instead of the well-known ones. */
  readonly ca?: string | Uint8Array;
  /** The client's own certificate, and its key. */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
}

export interface ConnectionOptions {
  /** `host:port`, `[v6]:port` or `unix:/path`. */
  readonly address: string;
  /** True or options: over TLS. False, the default: in the clear. */
  readonly tls?: boolean | TlsOptions;
  /** A token to log in with. Over a connection in the clear everyone on the way can read it. */
  readonly token?: string;
}

const channelOptions = {
  // A gateway that vanished without a word is noticed in half a minute, also by a call that waits for nothing else.
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 10_000,
  // A gateway that is being restarted is tried again soon.
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 5000,
};

/** What every method of a stub takes behind its request. */
export type CallArguments = [Metadata, GrpcOptions];

/** One connection to a gateway, made with the first call and again when it is lost. */
export class Connection {
  readonly stub: StoreServiceClient;

  constructor(private readonly options: ConnectionOptions) {
    this.stub = new StoreServiceClient(options.address, channelCredentials(options.tls ?? false), channelOptions);
  }

  /**
   * What goes with every call; in objects of their own, since grpc-js adds to them.
   *
   * @param deadline when the call has to be done, as `Date.now` tells the time; undefined for never
   */
  callArguments(deadline: number | undefined): CallArguments {
    const metadata = new Metadata();
    if (this.options.token !== undefined) metadata.set('authorization', `Bearer ${this.options.token}`);
    return [metadata, deadline === undefined ? {} : { deadline }];
  }

  close(): void {
    this.stub.close();
  }
}

function channelCredentials(tls: boolean | TlsOptions): ChannelCredentials {
  if (tls === false) return credentials.createInsecure();
  const { ca, key, cert } = tls === true ? {} : tls;
  return credentials.createSsl(pem(ca), pem(key), pem(cert));
}

function pem(text: string | Uint8Array | undefined): Buffer | null {
  return text === undefined ? null : Buffer.from(text);
}
