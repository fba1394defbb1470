import { expect } from 'chai';
import { createLog } from '../../src/observability/log.js';

const request = {
  protocol: 'http',
  method: 'GET',
  path: '/x\u001b[31m',
  caller: '::1',
  status: 404,
  received: 0,
  sent: 3,
  ms: 1.5,
};

/** What a log writes for two lines. */
function written(format: 'text' | 'json', level: 'info' | 'error' = 'info'): string {
  let text = '';
  const log = createLog(level, format, { write: (line: string) => (text += line) });
  log.info(request, 'request');
  log.error({ id: 'abc', err: new Error('the disk broke') }, 'internal error');
  return text;
}

describe('the log', () => {
  it('is one JSON object per line', () => {
    const lines = written('json').trimEnd().split('\n');
    expect(lines).to.have.length(2);
    expect(JSON.parse(lines[0] ?? '')).to.include({ ...request, msg: 'request' });
    expect(JSON.parse(lines[1] ?? '').err).to.include({ message: 'the disk broke' });
  });

  it('is text for people, with a line per request', () => {
    const [line = ''] = written('text').split('\n');
    expect(line).to.match(/INFO.*GET \/x\\u001b\[31m 404, 0 B in, 3 B out, 1\.5 ms, ::1/);
  });

  it('shows the cause of an error', () => {
    expect(written('text')).to.include('the disk broke');
  });

  it('omits lines below its level', () => {
    expect(written('json', 'error').trimEnd().split('\n')).to.have.length(1);
  });
});
