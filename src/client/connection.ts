import { credentials, type ChannelCredentials } from '@grpc/grpc-js';

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

/** The options of a channel, which opens with the first call, and again when it is lost. */
export const channelOptions = {
  // Detects within half a minute that the gateway is unreachable, also while a call only waits.
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 10_000,
  // Reconnects soon to a gateway that restarts.
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 5000,
  // What the downloads of a connection get through in a round trip, and what of each may wait in memory. With HTTP/2's default of 64 KiB they
  // get 2 MB/s through at 30 ms, all together.
  'grpc-node.flow_control_window': 4 * 1024 * 1024,
};

/** The credentials of a channel. */
export function channelCredentials(tls: boolean | TlsOptions): ChannelCredentials {
  if (tls === false) return credentials.createInsecure();
  const { ca, key, cert } = tls === true ? {} : tls;
  return credentials.createSsl(pem(ca), pem(key), pem(cert));
}

function pem(text: string | Uint8Array | undefined): Buffer | null {
  return text === undefined ? null : Buffer.from(text);
}
