import { credentials, Metadata, type CallOptions as GrpcOptions, type ChannelCredentials } from '@grpc/grpc-js';
import { StoreServiceClient } from '../../gen/kloset/store/v1/store.js';

/** The certificates of both sides, all as PEM texts. */
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
  /** Whether to use TLS, or its options (default false). */
  readonly tls?: boolean | TlsOptions;
  /** A token to log in with. Without TLS it is sent in the clear. */
  readonly token?: string;
}

const channelOptions = {
  // Detects within half a minute that the gateway is unreachable, also while a call only waits.
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 10_000,
  // Reconnects soon to a gateway that restarts.
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 5000,
};

/** The last arguments of every method of a stub. */
export type CallArguments = [Metadata, GrpcOptions];

/** One connection to a gateway. It is opened with the first call, and again when it is lost. */
export class Connection {
  readonly stub: StoreServiceClient;

  constructor(private readonly options: ConnectionOptions) {
    this.stub = new StoreServiceClient(options.address, channelCredentials(options.tls ?? false), channelOptions);
  }

  /**
   * The arguments for one call: grpc-js changes the objects.
   *
   * @param deadline by when the call has to end, in milliseconds as from `Date.now`; undefined for never
   */
  callArguments(deadline: number | undefined, options: GrpcOptions = {}): CallArguments {
    const metadata = new Metadata();
    if (this.options.token !== undefined) metadata.set('authorization', `Bearer ${this.options.token}`);
    return [metadata, deadline === undefined ? options : { ...options, deadline }];
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
