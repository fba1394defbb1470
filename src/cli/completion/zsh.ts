import { shellWord } from '../../lib/shell-word.js';
import { candidatesOf, firstWords, groupNames, optionSets, positionalSets, secondWords } from './candidates.js';
import type { Candidates, OptionSet, PositionalSet } from './candidates.js';
import type { Option } from '../option.js';

const help = "'--help[show the help of this command]'";

export function zshScript(): string {
  return `#compdef kloset-gateway
# Completion of kloset-gateway for zsh: \`kloset-gateway completion zsh\` prints it.

_kloset-gateway() {
  local is_help command
  local -a commands arguments
  if (( CURRENT > 2 )) && [[ $words[2] == help ]]; then
    is_help=1
    shift words
    (( CURRENT-- ))
  fi
  if (( CURRENT == 2 )); then
    if [[ $PREFIX == -* ]]; then
      _arguments ${help} '--version[show the version]'
      return
    fi
    commands=(
${described(firstWords())}    )
    if [[ -z $is_help ]]; then commands+=('help:shows the help of a command'); fi
    _describe command commands
    return
  fi
  command=$words[2]
  case $command in
${groupNames().map(groupCase).join('')}  esac
  if [[ -n $is_help ]]; then return 1; fi
  shift words
  (( CURRENT-- ))
  arguments=(${help})
${optionSets().map(optionCase).join('')}  case $command in
${positionalSets().map(positionalCase).join('')}  esac
  _arguments -S $arguments
}

# It is either loaded by its name, and then called at once, or sourced.
if [[ $funcstack[1] == _kloset-gateway ]]; then
  _kloset-gateway "$@"
else
  compdef _kloset-gateway kloset-gateway
fi
`;
}

function described(entries: readonly { readonly word: string; readonly help: string }[]): string {
  return entries.map((each) => `      ${quoted(`${each.word}:${each.help}`)}\n`).join('');
}

function groupCase(group: string): string {
  return `    (${group})
    if (( CURRENT == 3 )); then
      commands=(
${described(secondWords(group))}      )
      _describe command commands
      return
    fi
    command+=" $words[3]"
    shift words
    (( CURRENT-- ))
    ;;
`;
}

function optionCase({ commands, options }: OptionSet): string {
  return `  case $command in
    (${commands.map(shellWord).join('|')})
    arguments+=(
${options.map((option) => `      ${quoted(optionSpec(option))}\n`).join('')}    )
    ;;
  esac
`;
}

/** An option as \`_arguments\` has it: \`*--name=[help]:placeholder:action\`. */
function optionSpec({ name, value, words, repeatable, help: text }: Option): string {
  const explanation = `[${text.replaceAll(/[[\]\\]/g, String.raw`\$&`)}]`;
  const start = `${repeatable ? '*' : ''}--${name}`;
  if (value === undefined) return start + explanation;
  return `${start}=${explanation}:${value}:${action(candidatesOf(value, words))}`;
}

function positionalCase({ commands, positionals }: PositionalSet): string {
  const specs = positionals.map(
    ({ title, required }, i) => `${i + 1}:${required ? '' : ':'}${title}:${action(candidatesOf(title))}`,
  );
  return `    (${commands.map(shellWord).join('|')}) arguments+=(${specs.map(quoted).join(' ')}) ;;\n`;
}

function action({ words, paths, afterName }: Candidates): string {
  const list = words.join(' ');
  if (afterName) return `{compset -P "*="; compadd -- ${list}}`;
  if (paths === undefined) return words.length === 0 ? ' ' : `(${list})`;
  const complete = paths === 'files' ? '_files' : '_directories';
  return words.length === 0 ? complete : `{compadd -- ${list}; ${complete}}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
