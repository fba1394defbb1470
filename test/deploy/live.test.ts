import { expect } from 'chai';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { tokenDigest } from '../../src/auth/tokens.js';
import { formatAddress } from '../../src/core/address.js';
import type { Store } from '../../src/core/store.js';
import { Authority } from '../support/certificate.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { HttpStore } from '../support/http-store.js';
import { makeObject, newRef, randomMac } from '../support/objects.js';
import { ctx, eventually, expectFailure, getAll, putAll } from '../support/store.js';
import { emptyStore, tempFolder } from '../support/temp.js';
import { deployPath, metricsIn, readDashboard } from './support/files.js';
import { hasPrometheus, Prometheus, promtool } from './support/prometheus.js';

describe('A gateway that Prometheus scrapes', function () {
  this.timeout(60_000);
  let receiver: Server;
  let gateway: TestGateway;
  let target: string;
  let prometheus: Prometheus;

  before(async function () {
    if (!hasPrometheus()) this.skip();
    receiver = createServer((_request, response) => response.end()).listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    gateway = await startBusyGateway((receiver.address() as AddressInfo).port);
    const [address] = gateway.gateway.admin;
    target = address === undefined ? '' : formatAddress(address);
    const folder = await tempFolder();
    const alerts = await readFile(deployPath('prometheus/alerts.yaml'), 'utf8');
    await writeFile(join(folder, 'alerts.yaml'), alerts.replace(/interval: \d+m/, 'interval: 1s'));
    const configuration = await readFile(deployPath('prometheus/prometheus.yaml'), 'utf8');
    prometheus = await Prometheus.start(
      folder,
      configuration
        .replace('localhost:9464', target)
        .replace('localhost:9093', '127.0.0.1:1')
        .replace('scrape_interval: 15s', 'scrape_interval: 250ms')
        .replace('evaluation_interval: 15s', 'evaluation_interval: 1s'),
    );
  });

  after(async () => {
    await prometheus?.stop();
    await gateway?.close();
    receiver?.close();
  });

  it("has metrics that Prometheus' own tool has nothing to say against", async () => {
    const answer = await fetch(`http://${target}/metrics`);
    const { isFine, output } = promtool(['check', 'metrics'], await answer.text());
    expect(output).to.equal('');
    expect(isFine).to.equal(true);
  });

  it('has the metrics that the documentation lists, and no others of its own', async () => {
    const documented = metricsIn(await readFile(deployPath('../docs/monitoring.md'), 'utf8'));
    const text = await (await fetch(`http://${target}/metrics`)).text();
    const own = [...text.matchAll(/^# TYPE (kloset_gateway_\w+)/gm)].map(([, name]) => name);
    expect(own).to.have.members([...new Set(documented.filter((name) => /^kloset_gateway_/.test(name)))]);
  });

  it('gives data to every query of the dashboard', async () => {
    const { panels } = await readDashboard();
    const queries = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
    expect(queries.length).to.be.greaterThan(30);
    // The first scrape comes 5 s after Prometheus' start.
    await eventually(async () => (await prometheus.query('kloset_gateway_build_info')).length > 0, 'a scrape');
    await expectNone(queries, async ({ expr }) => {
      const query = expr.replace(/\$(instance|store|principal)\b/g, '.*').replaceAll('$__rate_interval', '1m');
      return (await prometheus.query(query)).length === 0;
    });
    await expectNone(
      queries.flatMap(({ expr }) => metricsIn(expr)),
      isUnknown,
    );
  });

  it('has the metrics that the alerts look at', async () => {
    const rules = await prometheus.rules();
    expect(rules.length).to.be.greaterThan(15);
    await expectNone(
      rules.flatMap(({ query }) => metricsIn(query)),
      isUnknown,
    );
    await expectNone(
      rules.map(({ name }) => name),
      async (name) => {
        const rule = (await prometheus.rules()).find((each) => each.name === name);
        return rule?.health !== 'ok';
      },
    );
  });

  async function isUnknown(name: string): Promise<boolean> {
    return !(await prometheus.names()).includes(name);
  }
});

/** Waits until nothing is wrong with any of these. Fails with those that something stays wrong with. */
async function expectNone<T>(all: readonly T[], isWrong: (each: T) => Promise<boolean>): Promise<void> {
  let wrong: readonly T[] = all;
  await eventually(async () => {
    const checked = await Promise.all(wrong.map(async (each) => ({ each, isWrong: await isWrong(each) })));
    wrong = checked.filter((one) => one.isWrong).map(({ each }) => each);
    return wrong.length === 0;
  }, 'nothing is wrong').catch(() => expect(wrong).to.deep.equal([]));
}

/** A gateway through which everything has happened that there is a metric for. */
async function startBusyGateway(receiver: number): Promise<TestGateway> {
  const { certFile, keyFile } = await (await Authority.create()).issue();
  const blue = await emptyStore();
  // Another client's, from before the start.
  await writeFile(join(blue, 'locks', randomMac()), makeObject('lock', 124));
  const gateway = await startTestGateway(undefined, {
    listen: [{ address: '127.0.0.1:0', tls: false }],
    'admin-listen': ['127.0.0.1:0'],
    cert: certFile,
    key: keyFile,
    stores: {
      '': { location: await emptyStore() },
      blue: { location: blue, quota: '1GiB', mirror: { to: await emptyStore() }, verify: {} },
    },
    principals: {
      'web-1': {
        tokens: [`sha256:${tokenDigest('web-1')}`],
        access: { '*': 'append' },
        'expect-backup': { '': '1h', blue: '1h' },
      },
      operator: { tokens: [`sha256:${tokenDigest('operator')}`], access: { '*': 'full' } },
    },
    notify: { webhook: { url: `http://127.0.0.1:${receiver}/` } },
    'state-dir': await tempFolder(),
  });
  const storeOf = (principal: string, store: string): Store =>
    new HttpStore(gateway.httpPort, { authorization: `Bearer ${principal}`, store });
  const web = storeOf('web-1', '');
  const lock = newRef('lock');
  const packfile = newRef('packfile');
  await putAll(web, lock, makeObject('lock', 124));
  await putAll(web, packfile, makeObject('packfile', 5000));
  // A checkpoint, which has the lock's name.
  await putAll(web, { kind: 'state', mac: lock.mac }, makeObject('state', 500));
  await putAll(web, newRef('packfile'), makeObject('packfile', 5000, 'other'));
  await putAll(web, newRef('state'), makeObject('state', 500, 'other'));
  await web.delete(lock, ctx);
  await getAll(web, packfile);
  await expectFailure(web.delete(packfile, ctx), 'permission_denied');
  await expectFailure(getAll(web, newRef('packfile')), 'not_found');
  await expectFailure(getAll(storeOf('nobody', ''), packfile), 'unauthenticated');
  const operator = storeOf('operator', '');
  await putAll(operator, lock, makeObject('lock', 124));
  await operator.delete(packfile, ctx);
  await operator.delete(lock, ctx);
  // A backup that goes on.
  await putAll(storeOf('web-1', 'blue'), newRef('lock'), makeObject('lock', 124));
  await putAll(storeOf('web-1', 'blue'), newRef('packfile'), makeObject('packfile', 5000));
  return gateway;
}
