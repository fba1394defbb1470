import { z } from 'zod';
import { fileSchema, oldNames } from '../src/config/definition.js';

/** A part of a JSON Schema, with the keywords that the configuration file's has. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly [keyword: string]: unknown;
}

/**
 * The JSON Schema of the configuration file, for editors: draft 7, which all of them support. All files that the program accepts are
 * valid. The reverse isn't true: only the program checks what one setting requires of another.
 */
export function jsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(fileSchema, { io: 'input', target: 'draft-7' }) as JsonSchema;
  const { properties = {} } = schema;
  const old = Object.entries(oldNames).map(([name, current]): [string, JsonSchema] => [
    name,
    { ...properties[current], description: `the old name of ${current}`, deprecated: true },
  ]);
  return {
    ...schema,
    properties: { ...properties, ...Object.fromEntries(old) },
    title: 'kloset-gateway',
    description:
      'The configuration file of kloset-gateway. `kloset-gateway check-config --config FILE` checks all of it.',
  };
}
