import { expect } from 'chai';
import { s3Server } from '../../support/s3-server.js';
import { startS3Gateway } from '../../support/s3-store.js';
import { eventually } from '../../support/store.js';

describe('A gateway in front of a bucket', function () {
  this.timeout(60_000);
  const server = s3Server();

  it('is ready while the service answers, and alive without it', async () => {
    const gateway = await startS3Gateway(server(), await server().emptyStore());
    const statusOf = async (path: string): Promise<number> =>
      (await fetch(`http://127.0.0.1:${gateway.httpPort}${path}`)).status;
    try {
      expect(await statusOf('/readyz')).to.equal(200);
      await server().pause();
      await eventually(async () => (await statusOf('/readyz')) === 503, 'it is not ready');
      expect(await statusOf('/healthz')).to.equal(200);
      await server().resume();
      await eventually(async () => (await statusOf('/readyz')) === 200, 'it is ready again');
    } finally {
      await gateway.close();
    }
  });

  it('says at its start that a quota is its own count', async () => {
    const gateway = await startS3Gateway(server(), await server().emptyStore(), { quota: '1GiB' });
    await gateway.close();
    const told = gateway.log.filter(({ message }) => message.includes("this gateway's own count"));
    expect(told.map(({ level }) => level)).to.deep.equal(['info']);
  });
});
