import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempFolder } from './temp.js';

/** PEM texts, and the files that they are in. */
export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface CertificateOptions {
  /** The subject's common name; by default `localhost`. */
  readonly name?: string;
  /** As OpenSSL writes them: `DNS:localhost`, `URI:…`, `email:…`. By default `DNS:localhost`; empty for none. */
  readonly altNames?: readonly string[];
  /** How long it is valid, from now on; -1 for one that has expired. By default 365. */
  readonly days?: number;
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc'];

/** A self-signed certificate for localhost, and its key. */
export function makeCertificate(): Promise<Certificate> {
  return selfSigned('localhost', ['-addext', 'subjectAltName=DNS:localhost']);
}

async function selfSigned(name: string, options: readonly string[]): Promise<Certificate> {
  const folder = await tempFolder();
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  openssl('req', '-x509', ...newKey, '-subj', `/CN=${name}`, ...options, '-keyout', keyFile, '-out', certFile);
  return { cert: await readFile(certFile), key: await readFile(keyFile), certFile, keyFile };
}

/** A certificate authority. */
export class Authority {
  private constructor(private readonly own: Certificate) {}

  static async create(name = 'test authority'): Promise<Authority> {
    return new Authority(await selfSigned(name, []));
  }

  get cert(): Buffer {
    return this.own.cert;
  }

  get certFile(): string {
    return this.own.certFile;
  }

  /** A certificate that it vouches for, for servers and clients. */
  async issue(options: CertificateOptions = {}): Promise<Certificate> {
    return this.sign(options, 'extendedKeyUsage=serverAuth,clientAuth');
  }

  /** An authority that it vouches for, which is no root. */
  async issueAuthority(name: string): Promise<Authority> {
    return new Authority(await this.sign({ name, altNames: [] }, 'basicConstraints=critical,CA:TRUE'));
  }

  private async sign(options: CertificateOptions, usage: string): Promise<Certificate> {
    const folder = await tempFolder();
    const path = (name: string): string => join(folder, name);
    const { name = 'localhost', altNames = ['DNS:localhost'], days = 365 } = options;
    openssl('req', ...newKey, '-subj', `/CN=${name}`, '-keyout', path('key.pem'), '-out', path('request.pem'));
    const extensions = altNames.length === 0 ? '' : `subjectAltName=${altNames.join(',')}\n`;
    await writeFile(path('extensions'), `${usage}\n${extensions}`);
    const signer = ['-CA', this.own.certFile, '-CAkey', this.own.keyFile, '-CAcreateserial', '-days', String(days)];
    const files = ['-in', path('request.pem'), '-extfile', path('extensions'), '-out', path('cert.pem')];
    openssl('x509', '-req', ...signer, ...files);
    const [certFile, keyFile] = [path('cert.pem'), path('key.pem')];
    return { cert: await readFile(certFile), key: await readFile(keyFile), certFile, keyFile };
  }
}

function openssl(...args: string[]): void {
  const { status, stderr } = spawnSync('openssl', args);
  if (status !== 0) throw new Error(`openssl: ${String(stderr)}`);
}
