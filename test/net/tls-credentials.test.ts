import { expect } from 'chai';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { TlsConfig } from '../../src/config/types.js';
import { TlsCredentials } from '../../src/net/tls-credentials.js';
import { Authority, type Certificate } from '../support/certificate.js';
import { tempFolder } from '../support/temp.js';

const dayMs = 24 * 60 * 60 * 1000;

describe('TLS credentials', () => {
  let authority: Authority;
  let good: Certificate;
  let other: Certificate;

  before(async () => {
    authority = await Authority.create();
    [good, other] = [await authority.issue(), await authority.issue()];
  });

  const config = (changes: Partial<TlsConfig> = {}): TlsConfig => ({
    cert: good.certFile,
    key: good.keyFile,
    clientCa: undefined,
    clientCertRequired: false,
    ...changes,
  });

  /** The message for the operator about a configuration that can't be used. */
  async function problemOf(changes: Partial<TlsConfig>, now?: () => number): Promise<string> {
    const error: unknown = await TlsCredentials.load(config(changes), now).catch((caught: unknown) => caught);
    expect(error).to.be.an('error');
    return (error as Error).message;
  }

  async function file(content: string | Buffer): Promise<string> {
    const path = join(await tempFolder(), 'file.pem');
    await writeFile(path, content);
    return path;
  }

  it('can have a chain after the certificate, and authorities of clients', async () => {
    const chain = await file(Buffer.concat([good.cert, authority.cert]));
    const credentials = await TlsCredentials.load(config({ cert: chain, clientCa: authority.certFile }));
    expect(credentials.material).to.include({ requestCert: true, rejectUnauthorized: false });
  });

  it('are refused with the file and what to do', async () => {
    const garbage = await file('garbage');
    const damaged = await file('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    const damagedKey = await file('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n');
    const encrypted = await file('');
    spawnSync('openssl', ['pkcs8', '-topk8', '-in', good.keyFile, '-passout', 'pass:secret', '-out', encrypted]);
    const missing = join(await tempFolder(), 'missing.pem');
    const folder = await tempFolder();
    const chain = await file(Buffer.concat([authority.cert, good.cert]));
    const wrong: readonly [Partial<TlsConfig>, string][] = [
      [{ cert: missing }, `the TLS certificate ${missing} can't be read: it does not exist`],
      [{ key: missing }, `the TLS key ${missing} can't be read: it does not exist`],
      [{ key: folder }, `the TLS key ${folder} can't be read: it is a folder`],
      [{ clientCa: missing }, `the authority of client certificates ${missing} can't be read: it does not exist`],
      [
        { cert: garbage },
        `the TLS certificate ${garbage} is not a certificate in PEM format (-----BEGIN CERTIFICATE-----)`,
      ],
      [{ key: garbage }, `the TLS key ${garbage} is not a private key in PEM format (-----BEGIN PRIVATE KEY-----)`],
      [{ cert: damaged }, `the TLS certificate ${damaged} can't be used: certificate 1 in it is damaged`],
      [
        { key: damagedKey },
        `the TLS key ${damagedKey} can't be used: it is damaged, or of a type that TLS doesn't support`,
      ],
      [
        { clientCa: await file(Buffer.concat([authority.cert, await readFile(damaged)])) },
        "can't be used: certificate 2 in it is damaged",
      ],
      [
        { key: encrypted },
        `the TLS key ${encrypted} is encrypted: use one without a passphrase that only the gateway can read`,
      ],
      [
        { cert: good.keyFile },
        `the TLS certificate ${good.keyFile} is a private key: the certificate's file is needed here`,
      ],
      [{ key: good.certFile }, `the TLS key ${good.certFile} is a certificate: the private key's file is needed here`],
      [{ key: other.keyFile }, `the TLS key ${other.keyFile} doesn't belong to the certificate ${good.certFile}`],
      [{ cert: chain }, "if a file has several certificates, the server's own must be the first"],
      [{ clientCertRequired: true }, 'client certificates are required, but there is no authority to verify them'],
    ];
    for (const [changes, problem] of wrong) expect(await problemOf(changes)).to.include(problem);
  });

  it("are refused if the certificate isn't valid now", async () => {
    const { certFile, keyFile } = await authority.issue({ days: -1 });
    expect(await problemOf({ cert: certFile, key: keyFile })).to.match(
      /cert.pem expired on \d{4}-\d\d-\d\d: renew it$/,
    );
    const early = await problemOf({}, () => Date.now() - dayMs);
    expect(early).to.match(/is not valid before \d{4}-\d\d-\d\d: check this machine's clock$/);
  });

  it('are refused if OpenSSL considers them too weak', async () => {
    const folder = await tempFolder();
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const args = ['req', '-x509', '-newkey', 'rsa:512', '-noenc', '-subj', '/CN=x', '-keyout', key, '-out', cert];
    expect(spawnSync('openssl', args).status).to.equal(0);
    expect(await problemOf({ cert, key }))
      .to.include(`${cert} with the key ${key} can't be used: `)
      .and.include('too small');
  });

  it('come with a warning from 30 days before they expire', async () => {
    const credentials = await TlsCredentials.load(config());
    const end = credentials.expiresMs;
    expect(end).to.be.closeTo(Date.now() + 365 * dayMs, dayMs);
    expect(credentials.expiryWarning(end - 31 * dayMs)).to.equal(undefined);
    const date = new Date(end).toISOString().slice(0, 10);
    const text = (when: string) =>
      `the TLS certificate ${good.certFile} ${when} (${date}): renew it; no restart is needed`;
    expect(credentials.expiryWarning(end - 29.5 * dayMs)).to.equal(text('expires in 29 days'));
    expect(credentials.expiryWarning(end - 1.5 * dayMs)).to.equal(text('expires in 1 day'));
    expect(credentials.expiryWarning(end)).to.equal(text('has expired'));
  });

  it('are replaced by a reload, and kept if the new files are invalid', async () => {
    const folder = await tempFolder();
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    await Promise.all([copyFile(good.certFile, cert), copyFile(good.keyFile, key)]);
    const credentials = await TlsCredentials.load(config({ cert, key }));
    const first = credentials.material;

    await copyFile(other.certFile, cert);
    const error: unknown = await credentials.reload().catch((caught: unknown) => caught);
    expect(error).to.be.an('error').with.property('message').that.includes("doesn't belong to the certificate");
    expect(credentials.material).to.equal(first);

    await copyFile(other.keyFile, key);
    await credentials.reload();
    expect(credentials.material).to.include({ cert: other.cert.toString(), key: other.key.toString() });
  });

  it('are read from other files if the configuration has changed', async () => {
    const credentials = await TlsCredentials.load(config());
    await credentials.reload({
      cert: other.certFile,
      key: other.keyFile,
      clientCa: authority.certFile,
      clientCertRequired: true,
    });
    expect(credentials.material).to.include({ cert: other.cert.toString(), rejectUnauthorized: true });
  });
});
