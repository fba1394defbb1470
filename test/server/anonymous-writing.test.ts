import { expect } from 'chai';
import type { Settings } from '../../src/config/config.js';
import { checkAnonymousWriting } from '../../src/server/anonymous-writing.js';
import { testConfig } from '../support/gateway.js';

describe('anonymous writing on a socket passed by systemd', () => {
  /** The result if the socket can be reached from this machine only, or from others. */
  function outcome(settings: Settings, localOnly: boolean): string {
    const config = testConfig({ location: '/x', listen: 'systemd', 'grpc-listen': 'off', ...settings });
    const listeners = config.listeners.map((listener) => ({
      config: listener,
      addresses: [listener.address],
      localOnly,
      close: () => Promise.resolve(),
    }));
    try {
      checkAnonymousWriting(config, listeners);
      return 'fine';
    } catch (error) {
      return String(error);
    }
  }

  it('is refused if other machines can reach it, with what to do', () => {
    const refused = outcome({ 'allow-write': true }, false);
    expect(refused)
      .to.match(/systemd/)
      .and.match(/no-auth/);
    expect(outcome({ 'allow-delete': true }, false)).to.equal(refused);
  });

  it('is allowed if no other machine can reach it, if it is intended, and if nothing can be written', () => {
    expect(outcome({ 'allow-write': true }, true)).to.equal('fine');
    expect(outcome({ 'allow-write': true, 'no-auth': true }, false)).to.equal('fine');
    expect(outcome({}, false)).to.equal('fine');
    const listen = { address: 'systemd', 'max-access': 'read-only' as const };
    expect(outcome({ 'allow-write': true, listen }, false)).to.equal('fine');
  });
});
