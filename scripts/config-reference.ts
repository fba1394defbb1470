import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { groups } from '../src/config/definition.js';
import type { TextForm } from '../src/config/values.js';
import { jsonSchema, type JsonSchema } from './json-schema.js';

/* The files that are generated from the definitions of the settings. */

/** The contents of the generated files, by their paths relative to the repository's folder. */
export async function generatedFiles(root: string): Promise<Record<string, string>> {
  const schemaPath = join('schema', 'kloset-gateway.schema.json');
  const docsPath = join('docs', 'config.md');
  const style = await resolveConfig(join(root, schemaPath));
  const docs = await readFile(join(root, docsPath), 'utf8');
  const example = await exampleConfig(root);
  const withExample = replaced(docs, 'example', `\`\`\`yaml\n${example}\`\`\`\n`);
  return {
    [schemaPath]: await format(JSON.stringify(jsonSchema()), { ...style, parser: 'json' }),
    [docsPath]: replaced(withExample, 'settings', `${reference()}\n`),
  };
}

/** The configuration file in examples/, without its first paragraph, which is for editors. */
export async function exampleConfig(root: string): Promise<string> {
  const example = await readFile(join(root, 'examples', 'config', 'kloset-gateway.yaml'), 'utf8');
  return example.slice(example.indexOf('\n\n') + 2);
}

/** A text with other content between the two comments that mark a generated part. */
function replaced(text: string, part: string, content: string): string {
  const start = `<!-- generated: ${part} -->\n`;
  const [before, after] = [text.indexOf(start), text.indexOf('<!-- end of generated -->', text.indexOf(start))];
  if (before < 0 || after < 0) throw new Error(`there is no generated part called ${part}`);
  return `${text.slice(0, before)}${start}${content}${text.slice(after)}`;
}

/** Tables of all settings, and of the keys of maps. */
function reference(): string {
  const tables = groups.map(({ title, settings }) => {
    const rows = settings.map(({ name, form, defaultText, description }) => [
      code(name),
      code(valueForm(form)),
      code(defaultText),
      description,
    ]);
    return `### ${title}\n\n${table(['setting', 'value', 'default', 'description'], rows)}`;
  });
  const keys = Object.entries(mapSchemas()).map(([what, schema]) => `### ${what}\n\n${keysTable(schema)}`);
  return [...tables, ...keys].join('\n');
}

/** How the value of a setting is written. */
export function valueForm(form: TextForm | undefined): string {
  return form === undefined ? 'a map, in the file only' : (form.placeholder ?? 'true, false');
}

/** The maps in the file, by what they are about. */
export function mapSchemas(): Readonly<Record<string, JsonSchema | undefined>> {
  const { properties = {} } = jsonSchema();
  const store = mapIn(properties['stores']?.additionalProperties);
  const principal = mapIn(properties['principals']?.additionalProperties);
  const notify = properties['notify'];
  return {
    'A listener': mapIn(properties['listen']),
    'A store in `stores`': store,
    '`mirror` of a store': store?.properties?.['mirror'],
    '`verify` of a store': store?.properties?.['verify'],
    'A principal in `principals`': principal,
    'A token': mapIn(principal?.properties?.['tokens']?.items),
    '`notify`': notify,
    'A webhook in `notify`': mapIn(notify?.properties?.['webhook']),
    '`mail` in `notify`': notify?.properties?.['mail'],
  };
}

function keysTable(schema: JsonSchema | undefined): string {
  const rows = Object.entries(schema?.properties ?? {}).map(([name, { description }]) => {
    const required = schema?.required?.includes(name) === true ? ', required' : '';
    return [code(name) + required, description ?? ''];
  });
  return table(['key', 'description'], rows);
}

/** The alternative of a schema that is a map with known keys. */
function mapIn(schema: JsonSchema | boolean | undefined): JsonSchema | undefined {
  if (typeof schema !== 'object') return undefined;
  return schema.properties ? schema : schema.anyOf?.find(({ properties }) => properties !== undefined);
}

function code(text: string | undefined): string {
  return text === undefined || text.includes('`') || text.includes(' ') ? (text ?? '') : `\`${text}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((each) => each.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}
