import { z } from 'zod';
import { textForms, type TextForm } from './values.js';

/** One setting. Validation, options, variables, help, JSON Schema and docs are all made from it. */
export interface Setting<Name extends string = string, Schema extends z.ZodType = z.ZodType> {
  /** Its key in the file, and its option; the variable's name is derived from it. */
  readonly name: Name;
  /** Its type, with the default. */
  readonly schema: Schema;
  /** A phrase for the help: it starts in lower case and doesn't end with a full stop. */
  readonly description: string;
  /** How options and variables write it; undefined: only the file can hold it. */
  readonly form: TextForm | undefined;
  /** The default in words; undefined: none, or false. */
  readonly defaultText: string | undefined;
}

/**
 * Defines a setting.
 *
 * @param defaultText the default in words, where it isn't a fixed value; otherwise it is the schema's
 */
export function setting<Name extends string, Schema extends z.ZodType>(
  name: Name,
  schema: Schema,
  description: string,
  defaultText?: string,
): Setting<Name, Schema> {
  const isWrapped = schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional;
  const standard = schema instanceof z.ZodPrefault ? schema.def.defaultValue : undefined;
  return {
    name,
    schema: schema.describe(description),
    description,
    form: textForms.get(isWrapped ? schema.unwrap() : schema),
    defaultText: defaultText ?? (standard && !isMap(standard) ? String(standard) : undefined),
  };
}

/** The defaults of a map are those of its keys. */
function isMap(value: unknown): boolean {
  return typeof value === 'object' && !Array.isArray(value);
}
