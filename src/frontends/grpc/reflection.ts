import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, type DescriptorProto } from '@bufbuild/protobuf/wkt';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';

/** The reflection service (grpc.reflection.v1 and v1alpha) for these proto files, which import from `includeDirs`. */
export function reflectionService(protoFiles: string[], includeDirs: string[]): ReflectionService {
  // keepCase: clients go by the names that the proto files have.
  const definition = loadSync(protoFiles, { keepCase: true, includeDirs });
  for (const entry of Object.values(definition)) {
    // Only messages and enums have these; a service's methods never have the name.
    if ('fileDescriptorProtos' in entry && Array.isArray(entry.fileDescriptorProtos)) {
      entry.fileDescriptorProtos = entry.fileDescriptorProtos.map(repaired);
    }
  }
  return new ReflectionService(definition);
}

/**
 * A file's descriptor as protobuf prescribes it. The loader gives the hidden message types of map fields names of its own, for
 * which grpcurl takes the whole file for invalid (fullstorydev/grpcurl#519), and fields JSON names that aren't in camel case.
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
