/** What is known of one request. A frontend fills it in as the request goes on. */
export interface RequestRecord {
  readonly protocol: 'http' | 'grpc';
  readonly method: string;
  /** The path asked for; in gRPC the full name of the rpc is the method, and the path is the object's. */
  path: string;
  /** HTTP status or gRPC status name; set when the request ends. */
  status: number | string;
  /** Bytes of objects and lists that came in and went out; headers and framing don't count. */
  received: number;
  sent: number;
  /** The caller's address, and its name where it logged in. */
  readonly caller: string;
  principal: string | undefined;
  readonly startedMs: number;
}

/** Is told of each request that has ended: a log, a counter. */
export interface RequestObserver {
  /** @param ms how long it took, in milliseconds */
  request(record: RequestRecord, ms: number): void;
}
