import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, type DescriptorProto } from '@bufbuild/protobuf/wkt';
import type {
  handleBidiStreamingCall,
  Server,
  ServerDuplexStream,
  ServiceDefinition,
  UntypedHandleCall,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';

/** Adds the reflection service (grpc.reflection.v1 and v1alpha) to a server. `includeDirs` has what the proto files import. */
export function addReflection(server: Server, protoFiles: string[], includeDirs: string[]): void {
  // keepCase: clients expect the field names of the proto files.
  const definition = loadSync(protoFiles, { keepCase: true, includeDirs });
  for (const entry of Object.values(definition)) {
    // An entry with this property is a message or an enum.
    if ('fileDescriptorProtos' in entry && Array.isArray(entry.fileDescriptorProtos)) {
      entry.fileDescriptorProtos = entry.fileDescriptorProtos.map(repaired);
    }
  }
  new ReflectionService(definition).addToServer({
    addService: (service: ServiceDefinition, handlers: UntypedServiceImplementation) =>
      server.addService(service, withBackpressure(handlers)),
  } as Server);
}

/** The same handlers with backpressure, which the package lacks: no request is read while the client doesn't take answers. */
function withBackpressure(handlers: UntypedServiceImplementation): UntypedServiceImplementation {
  const paused = ([name, handler]: [string, UntypedHandleCall]): [string, UntypedHandleCall] => [
    name,
    (call: ServerDuplexStream<unknown, unknown>) => {
      (handler as handleBidiStreamingCall<unknown, unknown>)(call);
      call.on('data', () => {
        if (!call.writableNeedDrain) return;
        call.pause();
        call.once('drain', () => call.resume());
      });
    },
  ];
  return Object.fromEntries(Object.entries(handlers).map(paused));
}

/**
 * Corrects a file's descriptor to what protobuf prescribes. proto-loader names the entry types of map fields differently, which makes the
 * file invalid for grpcurl (fullstorydev/grpcurl#519), and gives fields JSON names that aren't in camel case.
 */
function repaired(bytes: Uint8Array): Buffer {
  const file = fromBinary(FileDescriptorProtoSchema, bytes);
  for (const message of file.messageType) repair(message, `.${file.package}.${message.name}`);
  return Buffer.from(toBinary(FileDescriptorProtoSchema, file));
}

function repair(message: DescriptorProto, fullName: string): void {
  for (const field of message.field) field.jsonName = camelCase(field.name);
  for (const nested of message.nestedType) {
    if (nested.options?.mapEntry !== true) {
      repair(nested, `${fullName}.${nested.name}`);
      continue;
    }
    const field = message.field.find(({ typeName }) => typeName.split('.').at(-1) === nested.name);
    if (field === undefined) continue;
    nested.name = `${camelCase(`_${field.name}`)}Entry`;
    field.typeName = `${fullName}.${nested.name}`;
  }
}

function camelCase(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
