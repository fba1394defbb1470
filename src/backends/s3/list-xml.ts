import { malformed } from './errors.js';
import type { Sdk } from './sdk.js';

export type Parser = Pick<Sdk, 'SaxesParser'>;

/** The texts of an element's children, by name. */
export type Fields = Readonly<Record<string, string>>;

export interface ListForm {
  /** The name of the outermost element. */
  readonly root: string;
  /** The names of the elements that are listed. */
  readonly items: readonly string[];
}

/**
 * Reads the XML of a list: the fields of the list itself, and the items with their names, in their order. Fails where it isn't well-formed,
 * breaks off or isn't such a list.
 */
export async function parseList(
  { SaxesParser }: Parser,
  body: AsyncIterable<Uint8Array>,
  form: ListForm,
): Promise<{ readonly fields: Fields; readonly items: readonly (readonly [name: string, fields: Fields])[] }> {
  const items: (readonly [string, Fields])[] = [];
  const fields: Record<string, string> = {};
  let item: Record<string, string> = {};
  const path: string[] = [];
  let text = '';
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name }) => {
    path.push(name);
    text = '';
    if (path.length === 2) item = {};
  });
  const add = (part: string): void => void (text += part);
  parser.on('text', add);
  parser.on('cdata', add);
  parser.on('closetag', ({ name }) => {
    path.pop();
    if (path.length === 2) item[name] = text;
    else if (path.length === 1 && form.items.includes(name)) items.push([name, item]);
    else if (path.length === 1) fields[name] = text;
    text = '';
  });
  let root: string | undefined;
  parser.on('opentagstart', ({ name }) => (root ??= name));
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const chunk of body) parser.write(decoder.decode(chunk, { stream: true }));
  parser.write(decoder.decode()).close();
  if (root !== form.root) throw malformed('a list', `it is not a ${form.root}`);
  return { fields, items };
}

/** What a field says; undefined if it isn't there, or says something else. */
export function booleanOf(text: string | undefined): boolean | undefined {
  return text === 'true' ? true : text === 'false' ? false : undefined;
}
