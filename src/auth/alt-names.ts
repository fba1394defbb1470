/** One of a certificate's subject alternative names: `DNS` and `web-1.example.org`. */
export interface AltName {
  readonly type: string;
  readonly value: string;
}

/** A type and its colon; then a JSON string, or what has no quote and no comma; then the next one or the end. */
const entry = /([A-Za-z][A-Za-z ]*):(?:("(?:[^"\\]|\\.)*")|([^",]*))(, |$)/y;

/**
 * Takes apart the text that Node makes of a certificate's subject alternative names: `DNS:a.example.org, URI:urn:b`. Whoever got a
 * certificate signed may have chosen values with ", DNS:" in them. Node writes any value that has a quote, a comma, a backslash or
 * a control character as a JSON string (since CVE-2021-44532: https://nodejs.org/en/blog/vulnerability/jan-2022-security-releases),
 * so only what is outside of quotes separates.
 *
 * @returns undefined where the text isn't of that form: then none of it is to be believed.
 */
export function parseAltNames(text: string): readonly AltName[] | undefined {
  const names: AltName[] = [];
  // Of its own, since a sticky expression remembers where it is.
  const next = new RegExp(entry);
  for (;;) {
    const match = next.exec(text);
    if (match === null) return undefined;
    const [, type = '', quoted, plain = '', separator] = match;
    const value = quoted === undefined ? plain : fromJson(quoted);
    if (value === undefined) return undefined;
    names.push({ type, value });
    if (separator === '') return names;
  }
}

function fromJson(quoted: string): string | undefined {
  try {
    const value: unknown = JSON.parse(quoted);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
