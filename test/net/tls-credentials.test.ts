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

  /** What the operator is told about a configuration that can't be used. */
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

  it('are taken with a chain behind the certificate, and authorities', async () => {
    const chain = await file(Buffer.concat([good.cert, authority.cert]));
    const credentials = await TlsCredentials.load(config({ cert: chain, clientCa: authority.certFile }));
    expect(credentials.material).to.include({ requestCert: true, rejectUnauthorized: false });
  });

  it('are refused with the file and what to do about it', async () => {
    const garbage = await file('garbage');
    const damaged = await file('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    const damagedKey = await file('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n');
    const encrypted = await file('');
    spawnSync('openssl', ['pkcs8', '-topk8', '-in', good.keyFile, '-passout', 'pass:secret', '-out', encrypted]);
    const missing = join(await tempFolder(), 'missing.pem');
    const folder = await tempFolder();
    const chain = await file(Buffer.concat([authority.cert, good.cert]));
    const wrong: readonly [Partial<TlsConfig>, string][] = [
      [{ cert: missing }, `the TLS certificate ${missing} can't be read: there is no such file`],
      [{ key: missing }, `the TLS key ${missing} can't be read: there is no such file`],
      [{ key: folder }, `the TLS key ${folder} can't be read: EISDIR: illegal operation on a directory, read`],
      [{ clientCa: missing }, `the authority of client certificates ${missing} can't be read: there is no such file`],
      [
        { cert: garbage },
        `the TLS certificate ${garbage} is no certificate in PEM format (-----BEGIN CERTIFICATE-----)`,
      ],
      [{ key: garbage }, `the TLS key ${garbage} is no private key in PEM format (-----BEGIN PRIVATE KEY-----)`],
      [{ cert: damaged }, `the TLS certificate ${damaged} can't be used: certificate 1 in it is damaged`],
      [
        { key: damagedKey },
        `the TLS key ${damagedKey} can't be used: it is damaged, or of a kind that TLS doesn't have`,
      ],
      [
        { clientCa: await file(Buffer.concat([authority.cert, await readFile(damaged)])) },
        "can't be used: certificate 2 in it is damaged",
      ],
      [
        { key: encrypted },
        `the TLS key ${encrypted} is encrypted: give one without a passphrase, that only the gateway may read`,
      ],
      [
        { cert: good.keyFile },
        `the TLS certificate ${good.keyFile} is a private key: name the certificate's file here`,
      ],
      [{ key: good.certFile }, `the TLS key ${good.certFile} is a certificate: name the private key's file here`],
      [
        { key: other.keyFile },
        `the TLS key ${other.keyFile} doesn't belong to the certificate ${good.certFile}: give the one that it was made with`,
      ],
      [{ cert: chain }, "of several certificates in a file, the server's own has to be the first"],
      [{ clientCertRequired: true }, 'client certificates are required, and no authority to trust them by is given'],
    ];
    for (const [changes, problem] of wrong) expect(await problemOf(changes)).to.include(problem);
  });

  it('are refused where the certificate is not valid at the time', async () => {
    const { certFile, keyFile } = await authority.issue({ days: -1 });
    expect(await problemOf({ cert: certFile, key: keyFile })).to.match(
      /cert.pem expired on \d{4}-\d\d-\d\d: renew it$/,
    );
    const early = await problemOf({}, () => Date.now() - dayMs);
    expect(early).to.match(/is valid from \d{4}-\d\d-\d\d on: is this machine's clock right\?$/);
  });

  it('are refused where OpenSSL has them for too weak', async () => {
    const folder = await tempFolder();
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const args = ['req', '-x509', '-newkey', 'rsa:512', '-noenc', '-subj', '/CN=x', '-keyout', key, '-out', cert];
    expect(spawnSync('openssl', args).status).to.equal(0);
    expect(await problemOf({ cert, key }))
      .to.include(`${cert} with the key ${key} can't be used: `)
      .and.include('too small');
  });

  it('are announced to end from 30 days before', async () => {
    const credentials = await TlsCredentials.load(config());
    const end = credentials.expiresMs;
    expect(end).to.be.closeTo(Date.now() + 365 * dayMs, dayMs);
    expect(credentials.expiryWarning(end - 31 * dayMs)).to.equal(undefined);
    const date = new Date(end).toISOString().slice(0, 10);
    const text = (when: string) =>
      `the TLS certificate ${good.certFile} ${when} (${date}): renew it; the gateway takes the new one without a restart`;
    expect(credentials.expiryWarning(end - 29.5 * dayMs)).to.equal(text('expires in 29 days'));
    expect(credentials.expiryWarning(end - 1.5 * dayMs)).to.equal(text('expires in 1 day'));
    expect(credentials.expiryWarning(end)).to.equal(text('has expired'));
  });

  it('are replaced by a reload, and kept where the new files are wrong', async () => {
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

  it('come from other files when the configuration has changed', async () => {
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
