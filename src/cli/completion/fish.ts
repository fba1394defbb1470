import { candidatesOf, firstWords, groupNames, optionSets, positionalSets, secondWords } from './candidates.js';
import type { Candidates } from './candidates.js';
import type { Option } from '../option.js';

export function fishScript(): string {
  return [
    `# Completion of kloset-gateway for fish: \`kloset-gateway completion fish\` prints it.

# Whether the words between the program's name and the cursor are these, with or without help before them.
function __kloset_gateway_after
    set -l words (commandline -opc)
    set -e words[1]
    if test "$words[1]" = help
        set -e words[1]
    end
    test "$words" = "$argv"
end

# Whether the command that is typed is one of these.
function __kloset_gateway_is
    set -l words (commandline -opc)
    set -e words[1]
    contains -- "$words[1]" $argv; or contains -- "$words[1..2]" $argv
end

complete -c kloset-gateway -f
`,
    ...firstWords().map(({ word, help }) => line("__kloset_gateway_after ''", `-a ${word}`, help)),
    line('test (count (commandline -opc)) -eq 1', '-a help', 'shows the help of a command'),
    line('test (count (commandline -opc)) -eq 1', '-l version', 'show the version'),
    "complete -c kloset-gateway -l help -d 'show the help'\n",
    ...groupNames().flatMap((group) =>
      secondWords(group).map(({ word, help }) => line(`__kloset_gateway_after ${group}`, `-a ${word}`, help)),
    ),
    ...optionSets().flatMap(({ commands, options }) =>
      options.map((option) => line(isOneOf(commands), `-l ${option.name}${valueOf(option)}`, option.help)),
    ),
    ...positionalSets().flatMap(({ commands, positionals }) => {
      const offered = offer(candidatesOf(positionals[0]?.title ?? ''), '');
      return offered === '' ? [] : [`complete -c kloset-gateway -n ${quoted(isOneOf(commands))}${offered}\n`];
    }),
  ].join('');
}

function line(condition: string, what: string, help: string): string {
  return `complete -c kloset-gateway -n ${quoted(condition)} ${what} -d ${quoted(help)}\n`;
}

function isOneOf(commands: readonly string[]): string {
  return `__kloset_gateway_is ${commands.map((name) => (name.includes(' ') ? `"${name}"` : name)).join(' ')}`;
}

function valueOf({ name, value, words }: Option): string {
  if (value === undefined) return '';
  const candidates = candidatesOf(value, words);
  return (candidates.paths === 'files' ? ' -r' : ' -x') + offer(candidates, name);
}

function offer({ words, paths, afterName }: Candidates, option: string): string {
  const list = words.join(' ');
  if (afterName) {
    const name = `(commandline -ct | string replace -r "^--${option}=" "" | string match -r "^.*=")`;
    return ` -a ${quoted(`"$${name}"{${words.join(',')}}`)}`;
  }
  if (paths === 'folders') return ` -a ${quoted('(__fish_complete_directories)')}`;
  return (paths === 'files' ? ' -F' : '') + (list === '' ? '' : ` -a ${quoted(list)}`);
}

/** In fish, only \`\\\` and \`'\` are special between single quotes. */
function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, String.raw`\$&`)}'`;
}
