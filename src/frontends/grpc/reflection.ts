import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, type DescriptorProto } from '@bufbuild/protobuf/wkt';
import type {
  handleBidiStreamingCall,
  MethodDefinition,
  Server,
  ServerDuplexStream,
  ServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';

/** The service's only method, in both of its versions. */
const name = 'ServerReflectionInfo';
const paths = ['v1', 'v1alpha'].map((version) => `/grpc.reflection.${version}.ServerReflection/${name}`);

interface Method {
  readonly definition: MethodDefinition<object, object>;
  readonly handler: handleBidiStreamingCall<object, object>;
}

/** The methods by their paths; those by the proto files, joined. */
const known = new Map<string, ReadonlyMap<string, Method>>();

/**
 * Adds the reflection service (grpc.reflection.v1 and v1alpha) to a server. `includeDirs` has what the proto files import. They are read at the
 * first call, once a process: few clients ever ask, and it is a quarter of what a gateway's start would take.
 */
export function addReflection(server: Server, protoFiles: string[], includeDirs: string[]): void {
  const key = protoFiles.join('\n');
  for (const path of paths) {
    const method = (): Method => {
      const methods = known.get(key) ?? reflectionMethods(protoFiles, includeDirs);
      known.set(key, methods);
      const found = methods.get(path);
      if (found === undefined) throw new Error(`@grpc/reflection has no ${path}`);
      return found;
    };
    const definition: Method['definition'] = {
      path,
      requestStream: true,
      responseStream: true,
      requestSerialize: (value) => method().definition.requestSerialize(value),
      requestDeserialize: (bytes) => method().definition.requestDeserialize(bytes),
      responseSerialize: (value) => method().definition.responseSerialize(value),
      responseDeserialize: (bytes) => method().definition.responseDeserialize(bytes),
    };
    const handler: Method['handler'] = (call) => withBackpressure(method().handler, call);
    server.addService({ [name]: definition }, { [name]: handler });
  }
}

function reflectionMethods(protoFiles: string[], includeDirs: string[]): ReadonlyMap<string, Method> {
  // keepCase: clients expect the field names of the proto files.
  const definition = loadSync(protoFiles, { keepCase: true, includeDirs });
  for (const entry of Object.values(definition)) {
    // An entry with this property is a message or an enum.
    if ('fileDescriptorProtos' in entry && Array.isArray(entry.fileDescriptorProtos)) {
      entry.fileDescriptorProtos = entry.fileDescriptorProtos.map(repaired);
    }
  }
  const methods = new Map<string, Method>();
  const addService = (service: ServiceDefinition, handlers: UntypedServiceImplementation): void => {
    const method = service[name];
    if (method) methods.set(method.path, { definition: method, handler: handlers[name] as Method['handler'] });
  };
  new ReflectionService(definition).addToServer({ addService } as Server);
  return methods;
}

/** Handles a call with backpressure, which the package lacks: no request is read while the client doesn't take answers. */
function withBackpressure(handler: Method['handler'], call: ServerDuplexStream<object, object>): void {
  handler(call);
  call.on('data', () => {
    if (!call.writableNeedDrain) return;
    call.pause();
    call.once('drain', () => call.resume());
  });
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
