import { expect } from 'chai';
import { formatAddress } from '../../src/core/address.js';
import { version } from '../../src/lib/package-info.js';
import { Authority } from '../support/certificate.js';
import { startTestGateway, testConfig, type TestGateway } from '../support/gateway.js';
import { GrpcStore } from '../support/grpc-store.js';
import { makeObject, newRef } from '../support/objects.js';
import { eventually, putAll } from '../support/store.js';
import { emptyStore } from '../support/temp.js';

/** The value of a metric without labels. */
function valueIn(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

describe('the metrics', () => {
  let gateway: TestGateway;

  afterEach(() => gateway.close());

  async function metrics(path = '/metrics'): Promise<{ status: number; text: string }> {
    const [address] = gateway.gateway.admin;
    if (address === undefined) throw new Error('no listener for metrics');
    const answer = await fetch(`http://${formatAddress(address)}${path}`);
    return { status: answer.status, text: await answer.text() };
  }

  it('count requests and bytes of both protocols', async () => {
    gateway = await startTestGateway(await emptyStore(), { 'admin-listen': ['127.0.0.1:0'], 'allow-write': true });
    await fetch(`http://127.0.0.1:${gateway.httpPort}/resources/states`);
    await fetch(`http://127.0.0.1:${gateway.httpPort}/nowhere`);
    const store = new GrpcStore(gateway.grpcPort);
    await putAll(store, newRef('state'), makeObject('state', 1000));
    await store.close();
    const put = '/kloset.store.v1.StoreService/PutObject';
    const text = await eventually(async () => {
      const now = (await metrics()).text;
      return now.includes(put) && now;
    }, 'the upload is counted');
    expect(text).to.include('kloset_gateway_requests_total{protocol="http",method="GET",status="200"} 1');
    expect(text).to.include('kloset_gateway_requests_total{protocol="http",method="GET",status="404"} 1');
    expect(text).to.include(`kloset_gateway_requests_total{protocol="grpc",method="${put}",status="OK"} 1`);
    expect(text).to.include('kloset_gateway_received_bytes_total{protocol="grpc"} 1000');
    expect(text).to.match(/^kloset_gateway_sent_bytes_total\{protocol="http"\} [1-9]/m);
    expect(text).to.match(/^kloset_gateway_connections [1-9]/m);
    expect(text).to.match(/^process_resident_memory_bytes \d/m);
    expect((await metrics('/nothing')).status).to.equal(404);
  });

  it('include the expiry of the certificate, and the size of stores with their quotas', async () => {
    const { certFile, keyFile } = await (await Authority.create()).issue({ days: 10 });
    gateway = await startTestGateway(undefined, {
      'admin-listen': ['127.0.0.1:0'],
      cert: certFile,
      key: keyFile,
      stores: { blue: { location: await emptyStore(), quota: '1MiB' }, red: { location: await emptyStore() } },
    });
    const text = await eventually(async () => {
      const now = (await metrics()).text;
      return ['blue', 'red'].every((name) => now.includes(`kloset_gateway_store_bytes{store="${name}"}`)) && now;
    }, 'the stores are counted');
    expect(text).to.include('kloset_gateway_store_bytes{store="blue"} 0');
    expect(text).to.include('kloset_gateway_store_quota_bytes{store="blue"} 1048576');
    expect(text).to.not.include('kloset_gateway_store_quota_bytes{store="red"}');
    const [, seconds] = /^kloset_gateway_certificate_expiry_timestamp_seconds\{use="server"\} (\d+)$/m.exec(text) ?? [];
    expect(Number(seconds) - Date.now() / 1000).to.be.within(9 * 86400, 11 * 86400);
    expect(gateway.log.filter(({ level }) => level === 'warn').map(({ message }) => message)).to.satisfy(
      (messages: string[]) => messages.some((message) => /certificate .* expires in (9|10) days/.test(message)),
    );
  });

  it('answer HEAD as well', async () => {
    gateway = await startTestGateway(await emptyStore(), { 'admin-listen': ['127.0.0.1:0'] });
    const [address] = gateway.gateway.admin;
    const answer = await fetch(`http://${address && formatAddress(address)}/metrics`, { method: 'HEAD' });
    expect(answer.status).to.equal(200);
    expect(await answer.text()).to.equal('');
  });

  it('are true from the first time on, also twice in a row', async () => {
    gateway = await startTestGateway(await emptyStore(), { 'admin-listen': ['127.0.0.1:0'], instance: 'gateway-1' });
    for (const { text } of [await metrics(), await metrics()]) {
      for (const [line, value] of text.matchAll(/^nodejs_eventloop_lag\S* (\S+)$/gm))
        expect(Number(value), line).to.be.within(0, 60);
      expect(text).to.match(/^nodejs_eventloop_lag_p99_seconds /m);
      expect(valueIn(text, 'process_cpu_seconds_total')).to.be.within(0.01, 86_400);
      expect(valueIn(text, 'process_open_fds')).to.be.within(3, valueIn(text, 'process_max_fds'));
      for (const name of [
        'process_resident_memory_bytes',
        'nodejs_heap_size_used_bytes',
        'nodejs_external_memory_bytes',
      ])
        expect(valueIn(text, name), name).to.be.within(1e5, 1e11);
      expect(text).to.include(`nodejs_version_info{version="${process.version}"} 1`);
      expect(text).to.include(`kloset_gateway_build_info{version="${version}",replica="gateway-1"} 1`);
      expect(text).to.include('kloset_gateway_config_reload_failures_total 0');
      expect(text).to.include('kloset_gateway_audit_entries_lost_total 0');
      expect(valueIn(text, 'process_start_time_seconds')).to.be.within(1e9, Date.now() / 1000);
    }
  });

  it("have names that fit their types, as Prometheus' own tool wants them", async () => {
    gateway = await startTestGateway(await emptyStore(), { 'admin-listen': ['127.0.0.1:0'] });
    const { text } = await metrics();
    const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
    expect(types).to.not.deep.equal([]);
    for (const [, name = '', type] of types) {
      expect(name.endsWith('_total'), `${name}, a ${type}`).to.equal(type === 'counter');
      expect(text, name).to.match(new RegExp(`^# HELP ${name} .+$`, 'm'));
      expect(name).to.not.match(/_(ms|milliseconds|micros|minutes|kilobytes|mib)(_|$)|[A-Z]/);
    }
  });

  it('count reloads that failed', async () => {
    gateway = await startTestGateway(await emptyStore(), { 'admin-listen': ['127.0.0.1:0'] });
    gateway.gateway.countFailedReload();
    expect((await metrics()).text).to.include('kloset_gateway_config_reload_failures_total 1');
  });

  it('can be enabled by a reload, also under the old name of the setting', async () => {
    const location = await emptyStore();
    gateway = await startTestGateway(location);
    expect(gateway.gateway.admin).to.deep.equal([]);
    await gateway.gateway.reload(testConfig({ location, 'metrics-listen': ['127.0.0.1:0'] }));
    expect((await metrics()).text).to.include('kloset_gateway_connections');
  });
});
