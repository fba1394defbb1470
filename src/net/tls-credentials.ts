import type { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { TlsConfig } from '../config/types.js';
import { readCertificates, readPrivateKey } from './pem.js';

/** What a TLS server needs, in the form that Node takes. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  /** Whose client certificates are trusted. */
  readonly ca?: string;
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
}

interface Loaded {
  readonly config: TlsConfig;
  readonly material: TlsMaterial;
  readonly expiresMs: number;
}

const dayMs = 24 * 60 * 60 * 1000;

/** How long before its end a certificate is worth a warning. */
const warnBeforeMs = 30 * dayMs;

/**
 * The certificates of the gateway, as they were last read. Listeners ask for them at each connection, so new ones hold for the
 * connections that come then, and those that are there go on.
 */
export class TlsCredentials {
  private constructor(
    private loaded: Loaded,
    private readonly now: () => number,
  ) {}

  /** Reads the files and checks that they belong together. Fails with a message for the operator: which file, and what to do. */
  static async load(config: TlsConfig, now: () => number = Date.now): Promise<TlsCredentials> {
    return new TlsCredentials(await load(config, now()), now);
  }

  /**
   * Reads again, from other files where the configuration has changed. Fails as `load` does, and what was there stays in force.
   */
  async reload(config: TlsConfig = this.loaded.config): Promise<void> {
    this.loaded = await load(config, this.now());
  }

  /** The same object until the next `reload`. */
  get material(): TlsMaterial {
    return this.loaded.material;
  }

  /** When the gateway's certificate ends, in milliseconds since 1970-01-01 UTC. */
  get expiresMs(): number {
    return this.loaded.expiresMs;
  }

  /** What to tell the operator from 30 days before the certificate's end. */
  expiryWarning(now: number): string | undefined {
    const leftMs = this.expiresMs - now;
    if (leftMs > warnBeforeMs) return undefined;
    const days = Math.floor(leftMs / dayMs);
    const when = leftMs <= 0 ? 'has expired' : `expires in ${days === 1 ? '1 day' : `${days} days`}`;
    return (
      `the TLS certificate ${this.loaded.config.cert} ${when} (${isoDate(this.expiresMs)}): renew it; ` +
      'the gateway takes the new one without a restart'
    );
  }
}

async function load(config: TlsConfig, now: number): Promise<Loaded> {
  if (config.clientCertRequired && config.clientCa === undefined) {
    throw new Error('client certificates are required, and no authority to trust them by is given');
  }
  const cert = await readCertificates('the TLS certificate', config.cert);
  const key = await readPrivateKey('the TLS key', config.key);
  const ca =
    config.clientCa === undefined
      ? undefined
      : await readCertificates('the authority of client certificates', config.clientCa);
  const [own] = cert.content;
  if (!own.checkPrivateKey(key.content)) {
    throw new Error(
      `the TLS key ${key.file} doesn't belong to the certificate ${cert.file}: give the one that it was made with` +
        (cert.content.length > 1 ? "; of several certificates in a file, the server's own has to be the first" : ''),
    );
  }
  checkValidity(own, cert.file, now);
  const material: TlsMaterial = {
    cert: cert.text,
    key: key.text,
    ...(ca && { ca: ca.text }),
    requestCert: ca !== undefined,
    rejectUnauthorized: config.clientCertRequired,
  };
  try {
    createSecureContext(material);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`the TLS certificate ${cert.file} with the key ${key.file} can't be used: ${reason}`, {
      cause: error,
    });
  }
  return { config, material, expiresMs: Date.parse(own.validTo) };
}

function checkValidity(certificate: X509Certificate, file: string, now: number): void {
  const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  if (now >= to) throw new Error(`the TLS certificate ${file} expired on ${isoDate(to)}: renew it`);
  if (now < from) {
    throw new Error(`the TLS certificate ${file} is valid from ${isoDate(from)} on: is this machine's clock right?`);
  }
}

function isoDate(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
