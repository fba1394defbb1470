import { z } from 'zod';
import { fileSchema, settingNames, settings } from './definition.js';

/** A part of a JSON Schema, as far as the configuration file's has any. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly [keyword: string]: unknown;
}

/**
 * The JSON Schema of the configuration file, for editors: of draft 7, which all of them know. Whatever the program takes is valid in
 * it. Not all that is valid is taken: what one setting says about another is checked by the program alone.
 */
export function jsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(fileSchema, { io: 'input', target: 'draft-7' }) as JsonSchema;
  return {
    ...schema,
    title: 'kloset-gateway',
    description:
      'The configuration file of kloset-gateway. `kloset-gateway check-config --config FILE` checks all of it.',
    properties: Object.fromEntries(
      settingNames.map((name) => {
        const { default: standard } = settings[name];
        return [name, { ...schema.properties?.[name], ...(standard !== undefined && { default: standard }) }];
      }),
    ),
  };
}
