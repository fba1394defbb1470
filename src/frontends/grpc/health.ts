import type { handleServerStreamingCall, Server, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';

/** Adds the health service (grpc.health.v1) to a server. The services start as serving. */
export function addHealth(server: Pick<Server, 'addService'>, services: readonly string[]): HealthImplementation {
  const health = new HealthImplementation();
  for (const name of services) health.setStatus(name, 'SERVING');
  health.addToServer({
    addService: (service: ServiceDefinition, handlers: UntypedServiceImplementation) =>
      server.addService(service, { ...handlers, watch: watchOnly(services, handlers['watch'] as Watch) }),
  } as Server);
  return health;
}

type Watch = handleServerStreamingCall<{ readonly service: string }, { readonly status: string }>;

/** The same handler for these services only: for any other name that a client asks for it would keep an entry for ever. */
function watchOnly(services: readonly string[], watch: Watch): Watch {
  return (call) => {
    if (services.includes(call.request.service)) watch(call);
    // The protocol keeps the call open, since the service could be added later.
    else call.write({ status: 'SERVICE_UNKNOWN' });
  };
}
