import { isMap, isScalar, LineCounter, parseDocument, visit, type Document, type YAMLError } from 'yaml';
import type { Settings } from './definition.js';
import { findOffset, offsetOf } from './places.js';
import type { Problem } from './problems.js';

/** A configuration file's settings, and where in it each of them is. */
export interface ConfigFile {
  /** Nothing of it is checked. */
  readonly settings: Settings;
  /** Where in it a problem is. */
  placeOf(problem: Pick<Problem, 'path' | 'atKey'>): Place;
}

/** Both are counted from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/**
 * Reads YAML. Where the text isn't a map in YAML, every problem is reported, each with `file:line:column`.
 *
 * @param name what problems call the file
 */
export function parseConfigFile(text: string, name: string): ConfigFile | { readonly problems: string[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const place = (offset: number): string => formatPlace(name, placeOf(offset));
  const problems = [...document.errors, ...document.warnings].map(
    (problem) => `${place(problem.pos[0])}: ${messageOf(problem)}`,
  );
  problems.push(...unusableKeys(document).map((offset) => `${place(offset)}: this can't be a name: a name is text`));
  if (problems.length > 0) return { problems };
  const plain = toPlain(document);
  if ('problem' in plain) return { problems: [`${name}: ${plain.problem}`] };
  if (plain.value !== null && !isMap(document.contents)) {
    return { problems: [`${place(0)}: the file has to be a map: settings with their values`] };
  }
  return {
    // A setting with nothing behind it isn't said: all below it may be commented out.
    settings: Object.fromEntries(Object.entries(plain.value ?? {}).filter(([, value]) => value !== null)),
    placeOf: (problem) => placeOf(findOffset(document, problem)),
  };
}

/** The library's own words, but where they are for programmers. */
function messageOf({ code, message }: YAMLError): string {
  if (code === 'MULTIPLE_DOCS')
    return 'a second document begins here, and there may be one only: is there a --- too many?';
  return `${message.charAt(0).toLowerCase()}${message.slice(1)}`;
}

/** As compilers write it: `file:line:column`. */
export function formatPlace(name: string, { line, column }: Place): string {
  return `${name}:${line}:${column}`;
}

/** Keys that aren't text, and one that an object can't have for its own. */
function unusableKeys(document: Document): number[] {
  const found: number[] = [];
  visit(document, {
    Pair: (_, { key }) => {
      if (!isScalar(key) || key.value === '__proto__') found.push(offsetOf(key) ?? 0);
    },
  });
  return found;
}

/** Plain objects of it. Aliases that mean nothing, or far too much, are found here only. */
function toPlain(document: Document): { readonly value: unknown } | { readonly problem: string } {
  try {
    return { value: document.toJS() as unknown };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
