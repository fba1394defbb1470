import type { Job } from '../driver.js';
import type { Server } from './server.js';

/** A server that is asked over HTTP, and how its objects are named there. */
export interface HttpTarget {
  readonly name: string;
  readonly server: Server;
  readonly http: Pick<Job, 'address' | 'prefix' | 'list' | 'buckets' | 'inclusive' | 'method'>;
}

/** A server that is asked over gRPC. */
export interface GrpcTarget {
  readonly name: string;
  readonly server: Server;
  readonly address: string;
}

/** Where plakar's HTTP API has its packfiles. */
export function plakarsPaths(address: string): HttpTarget['http'] {
  return { address, prefix: '/resources/packfiles/', list: '/resources/packfiles', method: 'PUT' };
}

/** Stops all of them. */
export async function stopAll(targets: readonly { readonly server: Server }[]): Promise<void> {
  await Promise.all(targets.map(({ server }) => server.stop()));
}
