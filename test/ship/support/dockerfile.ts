/** An instruction of a Dockerfile. */
export interface Instruction {
  /** In capitals. */
  readonly name: string;
  /** Those that start with `--`, by name. */
  readonly flags: ReadonlyMap<string, string>;
  /** What follows them. */
  readonly rest: string;
}

/** Reads a Dockerfile. Knows neither here-documents nor parser directives, and fails at a line that is no instruction. */
export function parseDockerfile(text: string): readonly Instruction[] {
  const withoutComments = text.replace(/^\s*#.*\n/gm, '');
  const lines = withoutComments.replace(/\\\n\s*/g, '').split('\n');
  return lines.filter((line) => line.trim() !== '').map(parseLine);
}

/** The words of an instruction that has a JSON array for a command. */
export function execForm(rest: string): readonly string[] {
  const words: unknown = JSON.parse(rest);
  if (Array.isArray(words) && words.every((word) => typeof word === 'string')) return words;
  throw new Error(`not a list of strings: ${rest}`);
}

/** The pairs of ENV or LABEL. */
export function pairs(rest: string): readonly (readonly [string, string])[] {
  const matches = [...rest.matchAll(/([\w.]+)=(?:"([^"$\\]*)"|([^\s"$\\]*))(?:\s+|$)/g)];
  if (matches.map(([whole]) => whole).join('') !== rest) throw new Error(`not only pairs: ${rest}`);
  return matches.map(([, key = '', quoted, plain = '']) => [key, quoted ?? plain]);
}

function parseLine(line: string): Instruction {
  const match = /^([A-Z]+)\s+((?:--\S+\s+)*)(.+)$/.exec(line);
  if (match === null) throw new Error(`not an instruction: ${line}`);
  const [, name = '', flags = '', rest = ''] = match;
  const entries = [...flags.matchAll(/--([^=\s]+)=(\S+)/g)].map(([, key = '', value = '']) => [key, value] as const);
  return { name, flags: new Map(entries), rest };
}
