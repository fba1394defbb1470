import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempFolder } from './temp.js';

/** PEM texts, and the file that the certificate is in. */
export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly certFile: string;
}

/** A certificate for localhost that nobody but itself vouches for, and its key. */
export async function makeCertificate(): Promise<Certificate> {
  const folder = await tempFolder();
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc'];
  const { status, stderr } = spawnSync('openssl', [
    'req',
    '-x509',
    ...curve,
    ...subject,
    '-keyout',
    keyFile,
    '-out',
    certFile,
  ]);
  if (status !== 0) throw new Error(`openssl: ${String(stderr)}`);
  return { cert: await readFile(certFile), key: await readFile(keyFile), certFile };
}
