import type { X509Certificate } from 'node:crypto';
import { createSecureContext, type TlsOptions } from 'node:tls';
import type { TlsConfig } from '../config/types.js';
import { readCertificates, readPrivateKey, type PemFile } from './pem.js';

/** The options of a TLS server that follow from a configuration; `ca` are the authorities of trusted client certificates. */
export type TlsMaterial = Readonly<Pick<TlsOptions, 'cert' | 'key' | 'ca' | 'requestCert' | 'rejectUnauthorized'>>;

interface Loaded {
  readonly config: TlsConfig;
  readonly material: TlsMaterial;
  readonly expiresMs: number;
}

const dayMs = 24 * 60 * 60 * 1000;

/** How long before its expiry there is a warning. */
const warnBeforeMs = 30 * dayMs;

/**
 * The certificates of the gateway, as last read. Listeners use the current ones for each new connection; existing connections
 * aren't affected by new ones.
 */
export class TlsCredentials {
  private constructor(
    private loaded: Loaded,
    private readonly now: () => number,
  ) {}

  /** Reads the files and checks that they match. Fails with a message for the operator that names the file and what to do. */
  static async load(config: TlsConfig, now: () => number = Date.now): Promise<TlsCredentials> {
    return new TlsCredentials(await load(config, now()), now);
  }

  /** Reads the files again, or others. Fails as `load` does, and keeps the previous certificates. */
  async reload(config: TlsConfig = this.loaded.config): Promise<void> {
    this.loaded = await load(config, this.now());
  }

  /** The same object until the next `reload`. */
  get material(): TlsMaterial {
    return this.loaded.material;
  }

  /** When the gateway's certificate expires, in milliseconds since 1970-01-01 UTC. */
  get expiresMs(): number {
    return this.loaded.expiresMs;
  }

  /** A warning for the operator, from 30 days before the certificate expires. */
  expiryWarning(now: number): string | undefined {
    const leftMs = this.expiresMs - now;
    if (leftMs > warnBeforeMs) return undefined;
    const days = Math.floor(leftMs / dayMs);
    const when = leftMs <= 0 ? 'has expired' : `expires in ${days === 1 ? '1 day' : `${days} days`}`;
    return (
      `the TLS certificate ${this.loaded.config.cert} ${when} (${isoDate(this.expiresMs)}): renew it; ` +
      'no restart is needed'
    );
  }
}

async function load(config: TlsConfig, now: number): Promise<Loaded> {
  if (config.clientCertRequired && config.clientCa === undefined) {
    throw new Error('client certificates are required, but there is no authority to verify them');
  }
  const cert = await readCertificates('the TLS certificate', config.cert);
  const key = await readPrivateKey('the TLS key', config.key);
  const ca =
    config.clientCa === undefined
      ? undefined
      : await readCertificates('the authority of client certificates', config.clientCa);
  if (ca !== undefined) checkRoots(ca);
  const [own] = cert.content;
  if (!own.checkPrivateKey(key.content)) {
    throw new Error(
      `the TLS key ${key.file} doesn't belong to the certificate ${cert.file}` +
        (cert.content.length > 1 ? ": if a file has several certificates, the server's own must be the first" : ''),
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

/** Node's TLS servers trust no client whose chain doesn't end at a root. */
function checkRoots({ content, file }: PemFile<readonly X509Certificate[]>): void {
  const rootless = content.find((each) => !content.some((issuer) => each.checkIssued(issuer)));
  if (rootless === undefined) return;
  const [subject, issuer] = [rootless.subject, rootless.issuer].map((name) => name.replaceAll('\n', ', '));
  throw new Error(
    `no client can be trusted by ${file}: it has the certificate of the authority ${subject}, and not that of its issuer, ${issuer}: ` +
      'add that one, and so on up to the root',
  );
}

function checkValidity(certificate: X509Certificate, file: string, now: number): void {
  const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  if (now >= to) throw new Error(`the TLS certificate ${file} expired on ${isoDate(to)}: renew it`);
  if (now < from) {
    throw new Error(`the TLS certificate ${file} is not valid before ${isoDate(from)}: check this machine's clock`);
  }
}

function isoDate(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
