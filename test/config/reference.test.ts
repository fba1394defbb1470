import { expect } from 'chai';
import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { generatedFiles } from '../../scripts/config-reference.js';
import { makeConfig } from '../../src/config/config.js';
import { oldNames, settingNames } from '../../src/config/definition.js';
import { jsonSchema, type JsonSchema } from '../../scripts/json-schema.js';
import { loadConfig } from '../../src/config/load.js';
import type { Config } from '../../src/config/types.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const examplePath = join(root, 'examples/config/kloset-gateway.yaml');

async function example(): Promise<Config> {
  const surroundings = { home: '/home/op', cwd: '/' };
  const loaded = await loadConfig({ flags: {}, env: {}, configPath: examplePath, surroundings });
  if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
  return loaded.config;
}

/** Whether a value is valid according to the JSON Schema. */
function isValid(value: unknown): boolean {
  return z.fromJSONSchema(jsonSchema() as Parameters<typeof z.fromJSONSchema>[0]).safeParse(value).success;
}

describe('the reference of the settings', () => {
  it('is up to date with `npm run generate:schema`: the schema, and the tables and the example in docs/config.md', async () => {
    for (const [path, text] of Object.entries(await generatedFiles(root))) {
      expect(await readFile(join(root, path), 'utf8'), path).to.equal(text);
    }
  });

  it('describes every setting, and every key of maps', () => {
    const schema = jsonSchema();
    expect(Object.keys(schema.properties ?? {})).to.deep.equal([...settingNames, ...Object.keys(oldNames)]);
    const undescribed: string[] = [];
    const look = (path: string, { properties, additionalProperties, items, anyOf }: JsonSchema): void => {
      for (const [name, below] of Object.entries(properties ?? {})) {
        if (below.description === undefined) undescribed.push(`${path}.${name}`);
        look(`${path}.${name}`, below);
      }
      for (const below of [additionalProperties, items, ...(anyOf ?? [])])
        if (typeof below === 'object') look(path, below);
    };
    look('', schema);
    expect(undescribed).to.deep.equal([]);
  });

  it('has a schema that accepts the example, and nothing misspelled or of the wrong type', async () => {
    const settings = parse(await readFile(examplePath, 'utf8')) as Record<string, unknown>;
    expect(isValid(settings)).to.equal(true);
    for (const wrong of [
      { lisen: ':1' },
      { listen: [{ adress: ':1' }] },
      { stores: { a: { quota: 1 } } },
      { 'log-level': 'loud' },
      { principals: { a: { tokens: ['kgw_x'] } } },
      { 'admin-token': 'kgw_x' },
      { notify: { webhook: [{ url: 'https://alerts.example.org/', events: ['overdu'] }] } },
      { notify: { mail: { server: 'smtp://mail.example.org' } } },
      { 'drain-timeout': '5 parsecs' },
    ]) {
      expect(isValid({ ...settings, ...wrong }), JSON.stringify(wrong)).to.equal(false);
      expect(makeConfig({ ...settings, ...wrong } as object, { home: '/', cwd: '/' })).to.have.property('problems');
    }
  });
});

describe('the example of a configuration', () => {
  it('has the stores, principals, listeners and access that its table in docs/config.md shows', async () => {
    const { stores, principals, listeners } = await example();
    expect([...stores.keys()]).to.deep.equal(['teams/blue', 'teams/green', 'shared']);
    const serving = listeners.filter(({ protocol }) => protocol !== 'admin');
    expect(serving.map(({ name, maxAccess, tls }) => ({ name, maxAccess, tls }))).to.deep.equal([
      { name: 'network', maxAccess: 'append', tls: true },
      { name: 'admin', maxAccess: 'full', tls: false },
    ]);
    const docs = await readFile(join(root, 'docs/config.md'), 'utf8');
    for (const { name, access, listeners: through } of principals) {
      const levels = [...stores.keys()].map((store) => access.get(store) ?? access.get('*') ?? 'none');
      const row = new RegExp(`^\\| \`${name}\` \\|[^|]*\\| (\\S+) \\| (.*) \\|$`, 'm').exec(docs);
      expect(row?.[2]?.split(' | '), name).to.deep.equal(levels);
      expect(row?.[1]?.replaceAll('`', ''), name).to.equal([...(through ?? ['both'])].join());
    }
    expect(docs).to.include(
      `| anonymous | | both | ${[...stores.values()].map((each) => each.anonymous).join(' | ')} |`,
    );
  });

  it('has the hashes of the tokens in its comment', async () => {
    const text = await readFile(examplePath, 'utf8');
    const named = new Set(text.match(/kgw_sample[\w-]*/g) ?? []);
    const kept = (await example()).principals.flatMap(({ tokens }) => tokens.map(({ sha256 }) => sha256));
    expect([...named].map((token) => hash('sha256', token, 'hex'))).to.have.members(kept);
  });
});
