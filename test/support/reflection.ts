import { credentials, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { fromJSON, type PackageDefinition } from '@grpc/proto-loader';

interface ReflectionResponse {
  listServicesResponse?: { service: { name: string }[] };
  fileDescriptorResponse?: { fileDescriptorProto: Uint8Array[] };
}

type ReflectionCall = AsyncIterable<ReflectionResponse> & { write(request: object): void; end(): void };

/** Asks the reflection service one thing, as grpcurl does. */
export async function askReflection(port: number, request: object): Promise<ReflectionResponse> {
  const Client = reflectionClient();
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const call = (client as unknown as { serverReflectionInfo(): ReflectionCall }).serverReflectionInfo();
  call.write(request);
  call.end();
  let answer: ReflectionResponse = {};
  for await (const response of call) answer = response;
  client.close();
  return answer;
}

/** The client of the protocol, of which only what is used here. */
function reflectionClient(): ServiceClientConstructor {
  const string = (id: number) => ({ type: 'string', id });
  const definition = fromJSON({
    nested: {
      grpc: {
        nested: {
          reflection: {
            nested: {
              v1: {
                nested: {
                  ServerReflection: {
                    methods: {
                      ServerReflectionInfo: {
                        requestType: 'Req',
                        requestStream: true,
                        responseType: 'Res',
                        responseStream: true,
                      },
                    },
                  },
                  Req: { fields: { fileContainingSymbol: string(4), listServices: string(7) } },
                  Files: { fields: { fileDescriptorProto: { rule: 'repeated', type: 'bytes', id: 1 } } },
                  Service: { fields: { name: string(1) } },
                  Services: { fields: { service: { rule: 'repeated', type: 'Service', id: 1 } } },
                  Res: {
                    fields: {
                      fileDescriptorResponse: { type: 'Files', id: 4 },
                      listServicesResponse: { type: 'Services', id: 6 },
                    },
                  },
                },
              },
            },
          },
        },
      },
    },
  } as never) as PackageDefinition;
  const loaded = loadPackageDefinition(definition) as unknown as {
    grpc: { reflection: { v1: { ServerReflection: ServiceClientConstructor } } };
  };
  return loaded.grpc.reflection.v1.ServerReflection;
}
