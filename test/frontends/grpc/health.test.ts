import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { expect } from 'chai';
import { EventEmitter } from 'node:events';
import { addHealth } from '../../../src/frontends/grpc/health.js';

describe('The health service', () => {
  let handlers: UntypedServiceImplementation;
  const health = addHealth({ addService: (_service, all) => void (handlers = all) }, ['', 'a.Service']);

  function watch(service: string): { readonly told: unknown[]; readonly call: EventEmitter } {
    const told: unknown[] = [];
    const call = Object.assign(new EventEmitter(), {
      request: { service },
      write: ({ status }: { status: unknown }) => told.push(status),
    });
    (handlers['watch'] as (given: object) => void)(call);
    return { told, call };
  }

  it('tells clients that watch a service its status, and each change', () => {
    const [{ told }, whole] = [watch('a.Service'), watch('')];
    health.setStatus('a.Service', 'NOT_SERVING');
    expect(told).to.deep.equal(['SERVING', 'NOT_SERVING']);
    expect(whole.told).to.deep.equal(['SERVING']);
  });

  it('knows no other services, and keeps no entry for their names', () => {
    const before = remembered();
    for (let i = 0; i < 10; i++) {
      const { told, call } = watch(`another.Service${i}`);
      expect(told).to.deep.equal(['SERVICE_UNKNOWN']);
      call.emit('cancelled');
    }
    expect(remembered()).to.equal(before);
  });

  /** How many names the library keeps watchers of. */
  function remembered(): number {
    return (health as unknown as { watchers: Map<string, unknown> }).watchers.size;
  }
});
