import { expect } from 'chai';
import type { Settings } from '../../../src/config/config.js';
import { configOf, problemsOf } from '../../support/config.js';

describe('the listeners of a configuration', () => {
  it('are one or several addresses or maps, or off', () => {
    const made = configOf({
      listen: {
        name: 'admin',
        address: 'unix:/run/a.sock',
        mode: '0660',
        owner: 'root:backup',
        'max-access': 'append',
      },
      'grpc-listen': 'off',
      'admin-listen': ['localhost:9878', { address: '[::1]:9879' }],
    });
    expect(made.listeners.map(({ name, protocol }) => [name, protocol])).to.deep.equal([
      ['admin', 'http'],
      ['localhost:9878', 'admin'],
      ['[::1]:9879', 'admin'],
    ]);
    expect(made.listeners[0]).to.deep.include({
      address: { path: '/run/a.sock' },
      maxAccess: 'append',
      mode: 0o660,
      owner: { user: 'root', group: 'backup' },
    });
    const owners = ['7', ':7'].map((owner) => configOf({ listen: { address: 'unix:/a', owner } }).listeners[0]?.owner);
    expect(owners).to.deep.equal([
      { user: '7', group: undefined },
      { user: undefined, group: '7' },
    ]);
  });

  it('speak TLS over TCP if there is a certificate, unless configured otherwise', () => {
    const { listeners, tls } = configOf({
      listen: [
        'localhost:1',
        'unix:/a',
        'systemd',
        { address: 'localhost:2', tls: false },
        { address: 'unix:/b', tls: true },
      ],
      'admin-listen': 'localhost:3',
      cert: 'c.pem',
      key: '/k.pem',
    });
    const speaking = Object.fromEntries(listeners.map(({ name, tls: speaks }) => [name, speaks]));
    expect(speaking).to.deep.equal({
      'localhost:1': true,
      'unix:/a': false,
      systemd: true,
      'localhost:2': false,
      'unix:/b': true,
      'localhost:9878': true,
      'localhost:3': false,
    });
    expect(tls).to.deep.equal({ cert: '/srv/c.pem', key: '/k.pem', clientCa: undefined, clientCertRequired: false });
  });

  it('have unique names, also if several listen on any free port', () => {
    const { listeners } = configOf({ listen: ['127.0.0.1:0', '127.0.0.1:0'], 'grpc-listen': '127.0.0.1:0' });
    expect(new Set(listeners.map(({ name }) => name)).size).to.equal(3);
    expect(listeners[0]?.name).to.equal('127.0.0.1:0');
  });

  it("are refused if they can't work", () => {
    const wrong: Record<string, Settings> = {
      'listen[1]: another listener has the address localhost:1': { listen: ['localhost:1', 'localhost:1'] },
      'grpc-listen: another listener has the address localhost:1': {
        listen: ['localhost:1'],
        'grpc-listen': 'localhost:1',
      },
      'listen[1].name: another listener has the name a': {
        listen: [
          { address: 'localhost:1', name: 'a' },
          { address: 'localhost:2', name: 'a' },
        ],
      },
      "listen[1]: off can't be combined with addresses": { listen: ['localhost:1', 'off'] },
      'listen: there is nothing to serve': { listen: ['off'], 'grpc-listen': 'off', 'admin-listen': 'localhost:1' },
      'listen.mode: applies to unix sockets only': { listen: { address: 'localhost:1', mode: '0660' } },
      'listen.owner: applies to unix sockets only': { listen: { address: 'localhost:1', owner: 'x' } },
      'listen.tls: TLS needs a certificate': { listen: { address: 'localhost:1', tls: true } },
      'listen.address: must be an address: host:port': { listen: { address: 'x' } },
      'grpc-listen[0]: must be an address: host:port': { 'grpc-listen': ['nonsense'] },
    };
    for (const [problem, settings] of Object.entries(wrong)) {
      expect(problemsOf(settings), problem).to.have.length(1);
      expect(problemsOf(settings)[0]).to.include(problem);
    }
  });
});
