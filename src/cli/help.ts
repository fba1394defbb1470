import { helpPage, type HelpList } from './help-page.js';

const column = 28;
const width = 92;

/** The text that `--help` prints: about the program, or about the command or group of commands with this name. */
export function helpText(about?: string): string {
  const { summary, synopsis, argumentNotes, lists, notes, examples } = helpPage(about);
  const sections = [
    paragraph(summary),
    `Usage:\n  ${synopsis}`,
    ...argumentNotes.map(paragraph),
    ...lists.map(listText),
    notes.map(paragraph).join('\n'),
    ...(examples.length === 0
      ? []
      : [`Examples:\n${examples.map(({ call, what }) => `  kloset-gateway ${call}\n      ${what}`).join('\n')}`]),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function listText({ title, entries }: HelpList): string {
  return [`${title}:`, ...entries.map(({ term, text }) => entryText(term, text))].join('\n');
}

/** What is explained, and on the right of it the explanation. */
function entryText(term: string, text: string): string {
  const label = `  ${term}`;
  const [first = '', ...rest] = wrapped(text, width - column);
  const indent = ' '.repeat(column);
  const start = label.length < column - 1 ? [label.padEnd(column) + first] : [label, indent + first];
  return [...start, ...rest.map((line) => indent + line)].join('\n');
}

function paragraph(text: string): string {
  return wrapped(text, width).join('\n');
}

/** Lines of at most `length` characters, except for longer words. */
function wrapped(text: string, length: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > length) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}
