import type { handleServerStreamingCall, Server, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';

/** Adds the health service (grpc.health.v1) to a server, with each of these services serving. */
export function addHealth(server: Pick<Server, 'addService'>, services: readonly string[]): HealthImplementation {
  const health = new HealthImplementation();
  for (const name of services) health.setStatus(name, 'SERVING');
  health.addToServer({
    addService: (service: ServiceDefinition, handlers: UntypedServiceImplementation) =>
      server.addService(service, { ...handlers, watch: watchingOnly(services, handlers['watch'] as Watch) }),
  } as Server);
  return health;
}

type Watch = handleServerStreamingCall<{ readonly service: string }, { readonly status: string }>;

/** The same handler, but for names of no service: it would remember every one that anybody ever asked for, for good. */
function watchingOnly(services: readonly string[], watch: Watch): Watch {
  return (call) => {
    if (services.includes(call.request.service)) watch(call);
    // As the protocol has it, the call goes on: such a service could come.
    else call.write({ status: 'SERVICE_UNKNOWN' });
  };
}
