import {
  Server,
  ServerInterceptingCall,
  ServerListenerBuilder,
  status,
  type Metadata,
  type ServerInterceptor,
  type ServerOptions,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { Demand } from '../../lib/demand.js';

/** The largest message of an upload, in bytes: gRPC's default. */
const maxUploadMessageBytes = 4 * 1024 * 1024;

/** The largest message of any other call, in bytes. Such messages are small, but several times as large when decoded, before any login. */
const maxRequestBytes = 64 * 1024;

/** Replaces a message that is refused without being decoded. */
class Refusal {
  constructor(readonly status: { readonly code: status; readonly details: string }) {}
}

const demands = new WeakMap<Metadata, Demand>();

/** A grpc-js server that limits what clients' messages take of memory: each one's size, and how many of a stream are read ahead. */
export class LimitedServer extends Server {
  constructor(options: ServerOptions = {}) {
    super({ ...options, 'grpc.max_receive_message_length': maxUploadMessageBytes, interceptors: [limitMessages] });
  }

  override addService(service: ServiceDefinition, implementation: UntypedServiceImplementation): void {
    const methods = Object.entries(service).map(([name, method]) => [name, withRequestLimit(method)]);
    super.addService(Object.fromEntries(methods) as ServiceDefinition, implementation);
  }
}

/**
 * Has a streaming call's messages delivered as its handler asks for them; the next one is read meanwhile. By itself grpc-js reads 16
 * ahead, of up to 4 MiB each. To be called before the handler returns.
 *
 * @param metadata the call's
 * @returns undefined for a call of another server than a LimitedServer
 */
export function messagesOnDemand(metadata: Metadata): Demand | undefined {
  const demand = demands.get(metadata);
  demand?.hold();
  return demand;
}

const limitMessages: ServerInterceptor = (_method, call) => {
  const demand = new Demand(Infinity);
  const listener = new ServerListenerBuilder()
    .withOnReceiveMetadata((metadata, next) => {
      demands.set(metadata, demand);
      next(metadata);
    })
    .withOnReceiveMessage((message: unknown, next) => {
      if (message instanceof Refusal) call.sendStatus(message.status);
      else demand.deliver(() => next(message));
    })
    .build();
  return new ServerInterceptingCall(call, { start: (next) => next(listener) });
};

type Method = ServiceDefinition[string];

/**
 * The same method, with messages limited to `maxRequestBytes`, unless it is an upload: a method that streams its requests only. Malformed
 * messages of a stream are answered with INVALID_ARGUMENT; grpc-js answers others with INTERNAL.
 */
function withRequestLimit(method: Method): Method {
  if (method.requestStream && !method.responseStream) return method;
  const requestDeserialize = (bytes: Buffer): unknown => {
    if (bytes.length > maxRequestBytes) {
      const details = `a message of ${bytes.length} bytes: at most ${maxRequestBytes} are accepted`;
      return new Refusal({ code: status.RESOURCE_EXHAUSTED, details });
    }
    try {
      return method.requestDeserialize(bytes);
    } catch (error) {
      if (!method.requestStream) throw error;
      return new Refusal({ code: status.INVALID_ARGUMENT, details: `a malformed message for ${method.path}` });
    }
  };
  return { ...method, requestDeserialize };
}
