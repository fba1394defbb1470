import type { Bench } from '../bench.js';
import type { Job } from '../driver.js';
import type { Server } from './server.js';

/** A server that is used over HTTP, and its addresses and paths. */
export interface HttpTarget {
  readonly name: string;
  readonly server: Server;
  readonly http: Pick<
    Job,
    'address' | 'replicas' | 'ca' | 'prefix' | 'list' | 'buckets' | 'inclusive' | 'method' | 'sized'
  >;
}

/** A server that is used over gRPC. */
export interface GrpcTarget {
  readonly name: string;
  readonly server: Server;
  readonly address: string;
}

/** The paths of plakar's HTTP API. */
export function plakarsPaths(bench: Bench, address: string, { tls }: { readonly tls: boolean }): HttpTarget['http'] {
  const trust = tls ? { ca: bench.certificate.cert } : {};
  return { address, ...trust, prefix: '/resources/packfiles/', list: '/resources/packfiles', method: 'PUT' };
}

/** A store's location, as plakar's client takes it. */
export function urlOf({ http }: HttpTarget): string {
  return `${http.ca === undefined ? 'http' : 'https'}://${String(http.address)}`;
}

export async function stopAll(targets: readonly { readonly server: Server }[]): Promise<void> {
  await Promise.all(targets.map(({ server }) => server.stop()));
}
