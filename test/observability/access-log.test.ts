import { expect } from 'chai';
import { jsonAccessLog } from '../../src/observability/access-log.js';
import { loggedRequests } from '../../src/observability/request-log.js';
import type { RequestRecord } from '../../src/core/request.js';
import { createLog } from '../../src/observability/log.js';
import { eventually } from '../support/store.js';

const record: RequestRecord = {
  protocol: 'http',
  method: 'GET',
  path: '/resources/states/"\u0007\u00e9',
  status: 200,
  received: 0,
  sent: 136,
  caller: '10.0.0.1',
  principal: 'web-1',
  startedMs: 0,
};

const grpc: RequestRecord = {
  ...record,
  protocol: 'grpc',
  method: '/s.S/Get',
  path: '',
  status: 'OK',
  principal: undefined,
};

describe('the access log in JSON', () => {
  for (const each of [record, grpc]) {
    it(`has the line that pino would write for a request over ${each.protocol}`, () => {
      const lines: string[] = [];
      loggedRequests(createLog('info', 'json', { write: (line) => lines.push(line) })).request(each, 1.23456);
      const log = jsonAccessLog(
        (text) => lines.push(text),
        () => true,
      );
      log.request(each, 1.23456);
      log.flush();
      const [wanted = '', got = ''] = lines.map((line) => line.replace(/"time":\d+/, '"time":0'));
      expect(got).to.equal(wanted);
    });
  }

  it('writes a line that is longer than the buffer in one piece, after those before it', () => {
    const written: string[] = [];
    const log = jsonAccessLog(
      (text) => written.push(text),
      () => true,
      1000,
    );
    log.request(record, 1);
    log.request({ ...record, path: `/${'\u00e9'.repeat(2000)}` }, 1);
    log.request(record, 1);
    log.flush();
    const paths = written.map((line) => (JSON.parse(line) as { path: string }).path);
    expect(paths).to.deep.equal([record.path, `/${'\u00e9'.repeat(2000)}`, record.path]);
  });

  it('buffers lines, and writes them when the buffer is full, when it is flushed, and after a moment', async () => {
    const written: string[] = [];
    const log = jsonAccessLog(
      (text) => written.push(text),
      () => true,
    );
    for (let i = 0; i < 300; i++) log.request(record, 1);
    expect(written).to.have.length(1);
    log.flush();
    expect(written).to.have.length(2);
    expect(written.join('').trimEnd().split('\n')).to.have.length(300);
    log.request(record, 1);
    await eventually(async () => written.length === 3, 'the line is written');
    log.flush();
    expect(written).to.have.length(3);
  });

  it('writes nothing while it is off', () => {
    const log = jsonAccessLog(
      () => expect.fail('it wrote'),
      () => false,
    );
    log.request(record, 1);
    log.flush();
  });
});
