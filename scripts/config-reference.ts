import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { groups } from '../src/config/definition.js';
import { jsonSchema, type JsonSchema } from './json-schema.js';

/* The files that are generated from the definitions of the settings. */

/** The contents of the generated files, by their paths relative to the repository's folder. */
export async function generatedFiles(root: string): Promise<Record<string, string>> {
  const schemaPath = join('schema', 'kloset-gateway.schema.json');
  const docsPath = join('docs', 'config.md');
  const style = await resolveConfig(join(root, schemaPath));
  const docs = await readFile(join(root, docsPath), 'utf8');
  const example = await readFile(join(root, 'examples', 'config', 'kloset-gateway.yaml'), 'utf8');
  // Its first paragraph is for editors.
  const shown = example.slice(example.indexOf('\n\n') + 2);
  const withExample = replaced(docs, 'example', `\`\`\`yaml\n${shown}\`\`\`\n`);
  return {
    [schemaPath]: await format(JSON.stringify(jsonSchema()), { ...style, parser: 'json' }),
    [docsPath]: replaced(withExample, 'settings', `${reference()}\n`),
  };
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
  const { properties = {} } = jsonSchema();
  const listener = mapIn(properties['listen']);
  const store = mapIn(properties['stores']?.additionalProperties);
  const principal = mapIn(properties['principals']?.additionalProperties);
  const token = mapIn(principal?.properties?.['tokens']?.items);
  const tables = groups.map(({ title, settings }) => {
    const rows = settings.map(({ name, form, defaultText, description }) => {
      const value = form === undefined ? 'a map, in the file only' : (form.placeholder ?? 'true, false');
      return [code(name), code(value), code(defaultText), description];
    });
    return `### ${title}\n\n${table(['setting', 'value', 'default', 'what it is'], rows)}`;
  });
  const notify = properties['notify'];
  const maps = {
    'A listener': listener,
    'A store in `stores`': store,
    '`s3` of a store': store?.properties?.['s3'],
    '`mirror` of a store': store?.properties?.['mirror'],
    '`verify` of a store': store?.properties?.['verify'],
    'A principal in `principals`': principal,
    'A token': token,
    '`notify`': notify,
    'A webhook in `notify`': mapIn(notify?.properties?.['webhook']),
    '`mail` in `notify`': notify?.properties?.['mail'],
  };
  const keys = Object.entries(maps).map(([what, schema]) => `### ${what}\n\n${keysTable(schema)}`);
  return [...tables, ...keys].join('\n');
}

function keysTable(schema: JsonSchema | undefined): string {
  const rows = Object.entries(schema?.properties ?? {}).map(([name, { description }]) => {
    const required = schema?.required?.includes(name) === true ? ', required' : '';
    return [code(name) + required, description ?? ''];
  });
  return table(['key', 'what it is'], rows);
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
