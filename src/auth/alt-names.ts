/** One of a certificate's subject alternative names: `DNS` and `web-1.example.org`. */
export interface AltName {
  readonly type: string;
  readonly value: string;
}

/** A type and a colon; a JSON string, or text without quotes and commas; a separator or the end. */
const entry = /([A-Za-z][A-Za-z ]*):(?:("(?:[^"\\]|\\.)*")|([^",]*))(, |$)/y;

/**
 * Parses Node's text of a certificate's subject alternative names: `DNS:a.example.org, URI:urn:b`. A certificate's holder may have chosen
 * values that contain ", DNS:". Node writes every value with a quote, comma, backslash or control character as a JSON string (since
 * CVE-2021-44532: https://nodejs.org/en/blog/vulnerability/jan-2022-security-releases), so only commas outside of quotes are separators.
 *
 * @returns undefined if the text is malformed: then none of it can be trusted.
 */
export function parseAltNames(text: string): readonly AltName[] | undefined {
  const names: AltName[] = [];
  // A copy, because a sticky expression keeps its position.
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
