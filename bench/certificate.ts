import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Paths of a self-signed certificate for 127.0.0.1 and its key, which clients have to trust as an authority. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Makes one with a P-256 key, which is what ACME clients request by default. */
export function makeCertificate(folder: string): Certificate {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc'];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', ['req', '-x509', ...ec, ...subject, '-keyout', key, '-out', cert], { stdio: 'pipe' });
  return { cert, key };
}
