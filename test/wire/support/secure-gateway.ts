import type { Settings } from '../../../src/config/config.js';
import { Authority } from '../../support/certificate.js';
import { startTestGateway, type TestGateway } from '../../support/gateway.js';
import { emptyStore } from '../../support/temp.js';

export interface SecureGateway extends TestGateway {
  /** HTTP over TLS; the other two ports are without. */
  readonly httpsPort: number;
  /** The folder of its store. */
  readonly folder: string;
}

/** Starts a gateway for an empty store that anybody may write to, over HTTP with and without TLS, and over gRPC. */
export async function startSecureGateway(settings: Settings = {}): Promise<SecureGateway> {
  const folder = await emptyStore();
  const { certFile, keyFile } = await (await Authority.create()).issue();
  const started = await startTestGateway(folder, {
    'allow-write': true,
    'min-free-space': 0,
    cert: certFile,
    key: keyFile,
    listen: [
      { name: 'plain', address: '127.0.0.1:0', tls: false },
      { name: 'tls', address: '127.0.0.1:0', tls: true },
    ],
    'grpc-listen': [{ name: 'grpc', address: '127.0.0.1:0', tls: false }],
    ...settings,
  });
  const [, https] = started.gateway.http;
  return { ...started, folder, httpsPort: https !== undefined && 'port' in https ? https.port : NaN };
}
