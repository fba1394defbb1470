/* The language of man pages, man(7). */

export interface ManPage {
  readonly name: string;
  readonly section: 1 | 5;
  /** A phrase that says what it is. */
  readonly title: string;
  readonly sections: readonly ManSection[];
}

export interface ManSection {
  readonly title: string;
  /** What `paragraph` and the functions below it made. */
  readonly blocks: readonly string[];
}

/** The source of a man page. It has neither date nor version, so that it changes only with its text. */
export function manPage({ name, section, title, sections }: ManPage): string {
  return [
    `.\\" Made by \`npm run generate:cli\`.`,
    `.TH ${escaped(name.toUpperCase())} ${section} "" kloset\\-gateway`,
    // Aligned on the left, without hyphenation: long URLs would leave wide gaps otherwise.
    '.ad l',
    '.nh',
    '.SH NAME',
    filled(`${escaped(name)} \\- ${escaped(title)}`),
    ...sections.flatMap((each) => [
      `.SH ${quoted(each.title.toUpperCase())}`,
      // A section starts a paragraph by itself.
      each.blocks.join('\n').replace(/^\.PP\n/, ''),
    ]),
    '',
  ].join('\n');
}

/** A paragraph of plain text, in which `code` is bold. */
export function paragraph(text: string): string {
  return `.PP\n${filled(marked(text))}`;
}

/** What is explained, and below it the explanation. */
export function entry(term: string, text: string): string {
  return `.TP\n${term}\n${filled(marked(text))}`;
}

export function subheading(title: string): string {
  return `.SS ${quoted(title.replaceAll('`', ''))}`;
}

/** Lines as they are. */
export function lines(text: string): string {
  return [
    '.PP',
    '.EX',
    ...text
      .trimEnd()
      .split('\n')
      .map((line) => atStart(escaped(line))),
    '.EE',
  ].join('\n');
}

export function indented(blocks: readonly string[]): string {
  return ['.RS 4', ...blocks, '.RE'].join('\n');
}

export function bold(text: string): string {
  return `\\fB${escaped(text)}\\fP`;
}

export function italic(text: string): string {
  return `\\fI${escaped(text)}\\fP`;
}

/** What is typed: placeholders, which have capitals, are in italics. */
export function call(text: string): string {
  return text
    .split(' ')
    .map((word) => (/[A-Z]|^\[/.test(word) ? italic(word) : bold(word)))
    .join(' ');
}

function marked(text: string): string {
  return text
    .split('`')
    .map((part, i) => (i % 2 === 0 ? escaped(part) : bold(part)))
    .join('');
}

function escaped(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '\\': '\\e',
    '-': '\\-',
    "'": '\\(aq',
    '`': '\\(ga',
    '~': '\\(ti',
    '^': '\\(ha',
    '"': '\\(dq',
  };
  return text.replaceAll(/[\\'`~^"-]/g, (character) => names[character] ?? character);
}

function quoted(text: string): string {
  return `"${escaped(text)}"`;
}

/** Source lines of some 72 characters, which roff fills. */
function filled(text: string): string {
  const [first = '', ...words] = text.split(' ');
  const source = [first];
  for (const word of words) {
    const line = source.at(-1) ?? '';
    if (line.length + word.length < 72) source[source.length - 1] = `${line} ${word}`;
    else source.push(word);
  }
  return source.map(atStart).join('\n');
}

/** A line that starts with a full stop would be a request. */
function atStart(line: string): string {
  return line.startsWith('.') ? `\\&${line}` : line;
}
