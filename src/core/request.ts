/** A record of one request for logs and metrics. A frontend fills it in while the request runs. */
export interface RequestRecord {
  readonly protocol: 'http' | 'grpc';
  readonly method: string;
  /** HTTP: the path of the request. gRPC: the object's path; the method is the full name of the rpc. */
  path: string;
  /** HTTP status or gRPC status name; set when the request ends. */
  status: number | string;
  /** Bytes of objects and lists, without headers and framing. */
  received: number;
  sent: number;
  /** The caller's address, and its principal's name if it logged in. */
  readonly caller: string;
  principal: string | undefined;
  readonly startedMs: number;
}

/** Observes requests as they end: an access log, metrics. */
export interface RequestObserver {
  /** @param ms the duration in milliseconds */
  request(record: RequestRecord, ms: number): void;
}
