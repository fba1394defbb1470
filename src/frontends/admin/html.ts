/** HTML that is safe to send: made by `html` only. */
export class Html {
  /** @param text HTML, whose text is escaped */
  constructor(readonly text: string) {}
}

/** What `html` puts into HTML: text is escaped, HTML is not, and undefined and false are nothing. */
export type Part = Html | string | number | undefined | false | readonly Part[];

/**
 * A template of HTML. Every value in it is escaped, for text and for attributes in double quotes, but for what `html` itself has made:
 * names and messages may contain anything.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let text = strings[0] ?? '';
  for (const [i, part] of parts.entries()) text += textOf(part) + (strings[i + 1] ?? '');
  return new Html(text);
}

function textOf(part: Part): string {
  if (part instanceof Html) return part.text;
  if (typeof part === 'string') return escape(part);
  if (typeof part === 'number') return String(part);
  if (part === undefined || part === false) return '';
  return part.map(textOf).join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  // Nearly all texts have nothing to escape.
  return /[&<>"']/.test(text) ? text.replace(/[&<>"']/g, (c) => entities[c] ?? '') : text;
}
