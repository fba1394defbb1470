import { isMap, isScalar, LineCounter, parseDocument, visit, type Document, type YAMLError } from 'yaml';
import type { Settings } from './definition.js';
import { findOffset, offsetOf } from './yaml-offsets.js';
import type { Problem } from './problems.js';

/** The settings of a configuration file, with their positions in it. */
export interface ConfigFile {
  /** Nothing is checked. */
  readonly settings: Settings;
  positionOf(problem: Pick<Problem, 'path' | 'atKey'>): Position;
}

/** Both start at 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * Parses YAML. If the text isn't a map, all problems are reported, each with `file:line:column`.
 *
 * @param name of the file, for problems
 */
export function parseConfigFile(text: string, name: string): ConfigFile | { readonly problems: string[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const positionAt = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const where = (offset: number): string => formatPosition(name, positionAt(offset));
  const problems = [...document.errors, ...document.warnings].map(
    (problem) => `${where(problem.pos[0])}: ${messageOf(problem)}`,
  );
  problems.push(...unusableKeys(document).map((offset) => `${where(offset)}: this can't be a name: names are text`));
  if (problems.length > 0) return { problems };
  const plain = toPlain(document);
  if ('problem' in plain) return { problems: [`${name}: ${plain.problem}`] };
  if (plain.value !== null && !isMap(document.contents)) {
    return { problems: [`${where(0)}: the file must be a map: settings with their values`] };
  }
  return {
    // A setting without a value counts as missing: everything below it may be commented out.
    settings: Object.fromEntries(Object.entries(plain.value ?? {}).filter(([, value]) => value !== null)),
    positionOf: (problem) => positionAt(findOffset(document, problem)),
  };
}

/** The library's message, or another one where that is for programmers. */
function messageOf({ code, message }: YAMLError): string {
  if (code === 'MULTIPLE_DOCS')
    return 'a second document starts here, but a file can have only one: is this --- a mistake?';
  return `${message.charAt(0).toLowerCase()}${message.slice(1)}`;
}

/** As compilers print it: `file:line:column`. */
export function formatPosition(name: string, { line, column }: Position): string {
  return `${name}:${line}:${column}`;
}

/** The offsets of keys that aren't text, and of `__proto__`, which an object can't have as an own key. */
function unusableKeys(document: Document): number[] {
  const found: number[] = [];
  visit(document, {
    Pair: (_, { key }) => {
      if (!isScalar(key) || key.value === '__proto__') found.push(offsetOf(key) ?? 0);
    },
  });
  return found;
}

/** Converts a document to plain objects. Only this finds aliases that are unknown or that expand to too much. */
function toPlain(document: Document): { readonly value: unknown } | { readonly problem: string } {
  try {
    return { value: document.toJS() as unknown };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
