import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readText } from '../lib/read-text.js';

/** A PEM file, as text and parsed. */
export interface PemFile<T> {
  readonly file: string;
  readonly text: string;
  readonly content: T;
}

/** Reads the certificates in a file, at least one. Fails with a message for the operator that names the file. */
export async function readCertificates(
  what: string,
  file: string,
): Promise<PemFile<readonly [X509Certificate, ...X509Certificate[]]>> {
  const { text } = await readText(what, file);
  const blocks = text.match(/-----BEGIN (TRUSTED )?CERTIFICATE-----.*?-----END \1?CERTIFICATE-----/gs) ?? [];
  const [first, ...others] = blocks.map((block, i) => {
    try {
      return new X509Certificate(block);
    } catch (error) {
      throw new Error(`${what} ${file} can't be used: certificate ${i + 1} in it is damaged`, { cause: error });
    }
  });
  if (first !== undefined) return { file, text, content: [first, ...others] };
  throw new Error(
    text.includes('PRIVATE KEY-----')
      ? `${what} ${file} is a private key: the certificate's file is needed here`
      : `${what} ${file} is not a certificate in PEM format (-----BEGIN CERTIFICATE-----)`,
  );
}

/** Reads a private key. Fails with a message for the operator that names the file. */
export async function readPrivateKey(what: string, file: string): Promise<PemFile<KeyObject>> {
  const { text } = await readText(what, file);
  try {
    return { file, text, content: createPrivateKey(text) };
  } catch (error) {
    throw new Error(`${what} ${file} ${keyProblem(text)}`, { cause: error });
  }
}

function keyProblem(text: string): string {
  if (/^-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text)) {
    return 'is encrypted: use one without a passphrase that only the gateway can read';
  }
  if (text.includes('PRIVATE KEY-----')) return "can't be used: it is damaged, or of a type that TLS doesn't support";
  if (text.includes('CERTIFICATE-----')) return "is a certificate: the private key's file is needed here";
  return 'is not a private key in PEM format (-----BEGIN PRIVATE KEY-----)';
}
