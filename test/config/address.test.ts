import { expect } from 'chai';
import fc from 'fast-check';
import { isLocalOnly, parseAddress } from '../../src/config/address.js';
import { formatAddress } from '../../src/core/address.js';

const ports = fc.nat(65535);
const hosts = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain(), fc.constantFrom('', 'localhost'));

describe('an address', () => {
  it('is parsed from the form in which it is written', () => {
    fc.assert(
      fc.property(hosts, ports, (host, port) => {
        expect(parseAddress(formatAddress({ host, port }))).to.deep.equal({ host, port });
      }),
    );
    expect(parseAddress('[fe80::1%eth0.2]:80')).to.deep.equal({ host: 'fe80::1%eth0.2', port: 80 });
    expect(parseAddress('unix:/run/a b.sock')).to.deep.equal({ path: '/run/a b.sock' });
    expect(formatAddress({ path: '/run/x' })).to.equal('unix:/run/x');
    for (const text of ['systemd', 'systemd:http', 'systemd:kloset-gateway.socket']) {
      expect(formatAddress(parseAddress(text) ?? { path: '' })).to.equal(text);
    }
    expect(parseAddress('systemd')).to.deep.equal({ systemd: '' });
    expect(parseAddress('systemd:http')).to.deep.equal({ systemd: 'http' });
  });

  it('has no other form', () => {
    const wrong = [
      '',
      '9876',
      'localhost',
      ':',
      ':65536',
      ':-1',
      ':1x',
      '::1:80',
      '[::1]',
      '[::1',
      'a b:1',
      'unix:',
      'unix:run',
      'http://x:1',
      'x:1:2',
      '[x]:1',
      'unix:/a\0b',
      'systemd:',
      'systemd:a:b',
      'systemd:a b',
      'systemd:a\x1b',
      `systemd:${'x'.repeat(256)}`,
    ];
    for (const text of wrong) expect(parseAddress(text), text).to.equal(undefined);
  });

  it('is never parsed from text of another meaning', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const address = parseAddress(text);
        if (address !== undefined && 'port' in address)
          expect(text.endsWith(`:${address.port}`) || text.includes(':0')).to.equal(true);
      }),
    );
  });

  it('is only for this machine on loopback and unix sockets', () => {
    for (const text of ['localhost:1', '127.0.0.1:1', '127.9.9.9:1', '[::1]:1', 'unix:/x'])
      expect(local(text), text).to.equal(true);
    for (const text of [':1', '0.0.0.0:1', '[::]:1', '10.0.0.1:1', 'nas:1', '127.example.org:1', '1.127.0.0:1']) {
      expect(local(text), text).to.equal(false);
    }
    expect(local('systemd:http'), 'not known yet').to.equal(undefined);
  });
});

function local(text: string): boolean | undefined {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(text);
  return isLocalOnly(address);
}
