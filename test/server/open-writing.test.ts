import { expect } from 'chai';
import type { Settings } from '../../src/config/config.js';
import { checkOpenWriting } from '../../src/server/open-writing.js';
import { testConfig } from '../support/gateway.js';

describe('Writing without a login on a socket of systemd', () => {
  /** What comes of it where the socket can be reached from this machine alone, or from others. */
  function outcome(settings: Settings, localOnly: boolean): string {
    const config = testConfig({ location: '/x', listen: 'systemd', 'grpc-listen': 'off', ...settings });
    const listeners = config.listeners.map((listener) => ({
      config: listener,
      addresses: [listener.address],
      localOnly,
      close: () => Promise.resolve(),
    }));
    try {
      checkOpenWriting(config, listeners);
      return 'fine';
    } catch (error) {
      return String(error);
    }
  }

  it('is refused where others can reach that, with what to do', () => {
    const refused = outcome({ 'allow-write': true }, false);
    expect(refused)
      .to.match(/systemd/)
      .and.match(/no-auth/);
    expect(outcome({ 'allow-delete': true }, false)).to.equal(refused);
  });

  it('is fine where nobody else can, where it is meant, where nothing can be written, and where that way is read-only', () => {
    expect(outcome({ 'allow-write': true }, true)).to.equal('fine');
    expect(outcome({ 'allow-write': true, 'no-auth': true }, false)).to.equal('fine');
    expect(outcome({}, false)).to.equal('fine');
    const listen = { address: 'systemd', 'max-access': 'read-only' as const };
    expect(outcome({ 'allow-write': true, listen }, false)).to.equal('fine');
  });
});
