import { expect } from 'chai';
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TlsConfig } from '../../src/config/types.js';
import { CertificateWatch } from '../../src/server/certificate-watch.js';
import { Authority, type Certificate } from '../support/certificate.js';
import type { LogLine } from '../support/gateway.js';
import { tempFolder } from '../support/temp.js';

describe('CertificateWatch', () => {
  let authority: Authority;
  let config: TlsConfig;
  let log: LogLine[];
  let watch: CertificateWatch;

  before(async () => {
    authority = await Authority.create();
  });

  beforeEach(async () => {
    const folder = await tempFolder();
    config = {
      cert: join(folder, 'cert.pem'),
      key: join(folder, 'key.pem'),
      clientCa: undefined,
      clientCertRequired: false,
    };
    log = [];
    const logger = (level: string) => (fields: object, message: string) => log.push({ level, message, ...fields });
    watch = new CertificateWatch({ info: logger('info'), warn: logger('warn'), error: logger('error') });
  });

  afterEach(() => watch.close());

  async function use({ certFile, keyFile }: Certificate): Promise<void> {
    await copyFile(certFile, config.cert);
    await copyFile(keyFile, config.key);
  }

  it('has none if none is configured', async () => {
    await watch.prepare(undefined);
    await watch.commit();
    expect(watch.credentials).to.equal(undefined);
    expect(watch.expiresMs).to.equal(undefined);
  });

  it('has none after it was removed from the configuration', async () => {
    await use(await authority.issue({ days: 5 }));
    await watch.prepare(config);
    await watch.commit();
    expect(watch.expiresMs).to.not.equal(undefined);
    log.length = 0;
    await watch.prepare(undefined);
    expect(watch.expiresMs).to.not.equal(undefined);
    await watch.commit();
    expect(watch.credentials).to.equal(undefined);
    expect(watch.expiresMs).to.equal(undefined);
    expect(log).to.deep.equal([]);
  });

  it('uses a new one when it is committed, and not before, also for listeners that are open', async () => {
    const [first, second] = [await authority.issue({ days: 100 }), await authority.issue({ days: 200 })];
    await use(first);
    await watch.prepare(config);
    await watch.commit();
    const { credentials } = watch;
    const before = credentials?.material;
    await use(second);
    await watch.prepare(config);
    expect(credentials?.material).to.equal(before);
    await watch.commit();
    expect(watch.credentials).to.equal(credentials);
    expect(credentials?.material.cert).to.equal(second.cert.toString());
    expect(log).to.deep.equal([]);
  });

  it("fails if it can't be used, and keeps the previous one", async () => {
    await use(await authority.issue());
    await watch.prepare(config);
    await watch.commit();
    const before = watch.credentials?.material;
    await writeFile(config.key, (await authority.issue()).key);
    const error: unknown = await watch.prepare(config).catch((thrown: unknown) => thrown);
    expect(String(error)).to.include("doesn't belong to the certificate");
    expect(watch.credentials?.material).to.equal(before);
  });

  it('reports one that was replaced by an invalid one just before the commit', async () => {
    await use(await authority.issue());
    await watch.prepare(config);
    await watch.commit();
    const before = watch.credentials?.material;
    await watch.prepare(config);
    await writeFile(config.cert, 'no certificate');
    await watch.commit();
    expect(watch.credentials?.material).to.equal(before);
    expect(log).to.have.length(1);
    expect(log[0]).to.include({ level: 'error' });
    expect(log[0]?.message).to.match(/cert\.pem.*; the previous certificate stays in use$/);
  });

  it('warns of one that expires soon', async () => {
    await use(await authority.issue({ days: 5 }));
    await watch.prepare(config);
    await watch.commit();
    expect(log.map(({ level }) => level)).to.deep.equal(['warn']);
    expect(log[0]?.message).to.match(/expires in [45] days .*renew it/);
    expect(watch.expiresMs).to.be.greaterThan(Date.now());
  });
});
