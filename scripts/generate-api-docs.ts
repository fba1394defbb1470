import { fromBinary } from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorSetSchema,
  type FieldDescriptorProto,
  type FileDescriptorProto,
} from '@bufbuild/protobuf/wkt';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/* Writes docs/api.md from the API's proto file: `npm run generate`. */

const root = fileURLToPath(new URL('..', import.meta.url));
const proto = 'proto/kloset/store/v1/store.proto';

const descriptors = execFileSync('buf', ['build', '--path', proto, '--as-file-descriptor-set', '-o', '-'], {
  cwd: root,
});
const [file] = fromBinary(FileDescriptorSetSchema, descriptors).file;
if (file === undefined) throw new Error(`${proto} has no descriptor`);
writeFileSync(join(root, 'docs', 'api.md'), apiReference(file));

/** A page with all calls, each with its messages, and then the types that these are made of. */
function apiReference(file: FileDescriptorProto): string {
  const comments = new Map(
    file.sourceCodeInfo?.location.map(({ path, leadingComments }) => [path.join('.'), leadingComments]),
  );
  // The numbers in a path are those of the fields in descriptor.proto.
  const comment = (path: string): string => (comments.get(path) ?? '').replaceAll(/^ /gm, '').trim();
  const row = (path: string, ...cells: string[]): string[] => [...cells, comment(path).replaceAll(/\s+/g, ' ')];

  const messages = new Map(
    file.messageType.map(({ name, field, oneofDecl }, index) => {
      const rows = field.map((each, at) => row(`4.${index}.2.${at}`, code(each.name), typeOf(each, oneofDecl)));
      return [name, [comment(`4.${index}`), ...table(['field', 'type', 'meaning'], rows)]];
    }),
  );
  const takeMessage = (type: string): string[] => {
    const text = messages.get(nameOf(type)) ?? [];
    messages.delete(nameOf(type));
    return [`#### ${nameOf(type)}`, ...text];
  };
  const services = file.service.flatMap(({ method }, index) =>
    method.flatMap(({ name, inputType, outputType, clientStreaming, serverStreaming }, at) => [
      `### ${name}`,
      `${streamOf(clientStreaming)}${link(inputType)} → ${streamOf(serverStreaming)}${link(outputType)}`,
      comment(`6.${index}.2.${at}`),
      ...takeMessage(inputType),
      ...takeMessage(outputType),
    ]),
  );
  const enums = file.enumType.flatMap(({ name, value }, index) => {
    const rows = value.map((each, at) => row(`5.${index}.2.${at}`, code(each.name), String(each.number)));
    return [`### ${name}`, comment(`5.${index}`), ...table(['value', 'number', 'meaning'], rows)];
  });
  return [
    `# ${file.package}`,
    `<!-- Generated from the comments of ${proto}: \`npm run generate\`. -->`,
    comment('12'),
    `[${proto}](../${proto}) is the source of this page. [clients.md](clients.md) shows how to use the API from several languages.`,
    '## Calls',
    ...services,
    '## Messages',
    ...[...messages].flatMap(([name, text]) => [`### ${name}`, ...text]),
    '## Enums',
    ...enums,
  ]
    .join('\n\n')
    .concat('\n');
}

/** A field's type, with a link if it is a message or an enum. */
function typeOf(
  { type, typeName, label, oneofIndex }: FieldDescriptorProto,
  oneofs: readonly { name: string }[],
): string {
  const oneof = oneofs[oneofIndex ?? -1];
  const name = typeName === '' ? Type[type].toLowerCase() : link(typeName);
  return `${label === Label.REPEATED ? 'repeated ' : ''}${name}${oneof ? `, one of ${code(oneof.name)}` : ''}`;
}

/** A type's name without its package. */
function nameOf(type: string): string {
  return type.slice(type.lastIndexOf('.') + 1);
}

function link(type: string): string {
  return `[${nameOf(type)}](#${nameOf(type).toLowerCase()})`;
}

function streamOf(isStream: boolean): string {
  return isStream ? 'stream of ' : '';
}

function code(text: string): string {
  return `\`${text}\``;
}

/** A Markdown table; nothing if it has no rows. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return [lines.join('\n')];
}
