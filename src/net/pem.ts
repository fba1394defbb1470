import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** What was read of a PEM file. */
export interface PemFile<T> {
  readonly file: string;
  readonly text: string;
  readonly content: T;
}

/** Reads the certificates of a file: one at least. Fails with a message for the operator, with the file's name. */
export async function readCertificates(
  what: string,
  file: string,
): Promise<PemFile<readonly [X509Certificate, ...X509Certificate[]]>> {
  const text = await read(what, file);
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
      ? `${what} ${file} is a private key: name the certificate's file here`
      : `${what} ${file} is no certificate in PEM format (-----BEGIN CERTIFICATE-----)`,
  );
}

/** Reads a private key. Fails with a message for the operator, with the file's name. */
export async function readPrivateKey(what: string, file: string): Promise<PemFile<KeyObject>> {
  const text = await read(what, file);
  try {
    return { file, text, content: createPrivateKey(text) };
  } catch (error) {
    throw new Error(`${what} ${file} ${keyProblem(text)}`, { cause: error });
  }
}

function keyProblem(text: string): string {
  if (/^-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text)) {
    return 'is encrypted: give one without a passphrase, that only the gateway may read';
  }
  if (text.includes('PRIVATE KEY-----')) return "can't be used: it is damaged, or of a kind that TLS doesn't have";
  if (text.includes('CERTIFICATE-----')) return "is a certificate: name the private key's file here";
  return 'is no private key in PEM format (-----BEGIN PRIVATE KEY-----)';
}

async function read(what: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new Error(`${what} ${file} can't be read: ${readProblem(error)}`, { cause: error });
  }
}

function readProblem(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return "the gateway's user may not read it";
  return error instanceof Error ? error.message : String(error);
}
