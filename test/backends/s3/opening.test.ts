import { expect } from 'chai';
import { openStore, parseLocation } from '../../../src/backends/backends.js';
import type { OpenedStore, OpenOptions } from '../../../src/backends/backend.js';
import { FaultProxy } from '../../support/fault-proxy.js';
import { held, refuse } from '../../support/faults.js';
import { host, silent } from '../../support/gateway.js';
import { s3Server } from '../../support/s3-server.js';
import { tempFolder } from '../../support/temp.js';

describe('a store in S3 that can not be opened', () => {
  const server = s3Server();
  let proxy: FaultProxy;
  let prefix: string;

  before(async () => {
    proxy = await FaultProxy.start(server().port);
    prefix = await server().emptyStore();
  });

  after(() => proxy?.close());

  beforeEach(() => proxy.heal());

  interface Given {
    readonly location?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly s3?: OpenOptions['s3'];
  }

  async function open({ location = server().location(prefix, proxy.port), env = {}, s3 }: Given): Promise<OpenedStore> {
    const parsed = parseLocation(location, { home: '/nonexistent', cwd: '/nonexistent' });
    if ('problem' in parsed) throw new Error(parsed.problem);
    const options: OpenOptions = {
      writable: true,
      durable: true,
      maxObjectBytes: 1_000_000,
      host,
      user: { name: 'operator', home: '/nonexistent', env: { ...server().env, ...env } },
      ssh: {},
      s3: s3 ?? server().s3Settings,
    };
    return openStore(parsed, options, silent);
  }

  async function messageOf(given: Given): Promise<string> {
    try {
      await (await open(given)).close();
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error('it was opened');
  }

  it('says where there is no store', async () => {
    const location = server().location('nothing/here');
    expect(await messageOf({ location }))
      .to.include(`${location} is not a Kloset store`)
      .and.include('create');
  });

  it('says that there is no bucket', async () => {
    const location = server().location(prefix).replace('/bucket/', '/no-bucket/');
    expect(await messageOf({ location })).to.include('there is no bucket no-bucket');
  });

  it('says that the access key is unknown', async () => {
    const message = await messageOf({ env: { AWS_ACCESS_KEY_ID: 'unknown' } });
    expect(message).to.include("doesn't know the access key").and.include('AWS_ACCESS_KEY_ID');
  });

  it('says that the secret key is wrong, and does not repeat it', async () => {
    const message = await messageOf({ env: { AWS_SECRET_ACCESS_KEY: 'a-wrong-secret' } });
    expect(message).to.include('secret key').and.include('AWS_SECRET_ACCESS_KEY').and.not.include('a-wrong-secret');
  });

  it('says which region is the right one', async () => {
    const message = await messageOf({ s3: { ...server().s3Settings, region: 'eu-west-1' } });
    expect(message).to.include('set s3-region to us-east-1');
  });

  for (const code of ['RequestTimeTooSkewed', 'RequestExpired']) {
    it(`says that the clock is wrong: ${code}`, async () => {
      proxy.spoil('GetObject', refuse(403, code), { times: Infinity });
      expect(await messageOf({})).to.include('the clock of this machine');
    });
  }

  it('says that the keys lack rights', async () => {
    proxy.spoil('GetObject', refuse(403, 'AccessDenied'), { times: Infinity });
    expect(await messageOf({})).to.include('rights');
  });

  it('says that the service speaks plain HTTP', async () => {
    expect(await messageOf({ s3: { tls: true } })).to.include('s3-tls');
  });

  it('says that the service does not answer, long before systemd loses patience', async function () {
    this.timeout(30_000);
    proxy.spoil(() => true, held, { times: Infinity });
    expect(await messageOf({})).to.include("can't be reached");
  });

  it('says that the credentials file is missing', async () => {
    const credentialsFile = `${await tempFolder()}/credentials`;
    const message = await messageOf({ s3: { ...server().s3Settings, credentialsFile } });
    expect(message).to.include(credentialsFile).and.include('does not exist');
  });
});
