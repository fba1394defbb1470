import { shellWord } from '../../lib/shell-word.js';
import {
  candidatesOf,
  firstWords,
  groupedBy,
  groupNames,
  optionSets,
  positionalSets,
  secondWords,
} from './candidates.js';
import type { Candidates, OptionSet, PositionalSet } from './candidates.js';

/* Only what bash has itself is used: the package bash-completion needs not be there. */

export function bashScript(): string {
  return String.raw`# Completion of kloset-gateway for bash: \`kloset-gateway completion bash\` prints it.

_kloset_gateway() {
  local word before='' is_help='' command option options='--help' value='' list='' paths=''
  local -a words=()
  # Readline splits words at = and at :, as in --listen=:9876. Here they are joined again.
  for word in "${'$'}{COMP_WORDS[@]:0:COMP_CWORD+1}"; do
    if [[ $word =~ ^[=:]+$ || $before =~ ^[=:]+$ ]]; then words[-1]+=$word; else words+=("$word"); fi
    before=$word
  done
  local last=${'$'}{words[-1]} current=${'$'}{COMP_WORDS[COMP_CWORD]}
  # Only what follows the last = or : is replaced.
  if [[ $current =~ ^[=:]+$ ]]; then current=''; fi
  unset 'words[-1]'
  if [[ $last == --*=* ]]; then option=${'$'}{last%%=*}; else option=${'$'}{words[-1]}; fi
  if [[ ${'$'}{words[1]-} == help ]]; then
    is_help=1
    words=("${'$'}{words[0]}" "${'$'}{words[@]:2}")
  fi
  command=${'$'}{words[1]-}
  case $command in
    ${groupNames().join(' | ')}) command+=" ${'$'}{words[2]-}" ;;
  esac
  case $command in
    '')
      list='${wordsOf(firstWords())}'
      if [[ ! $is_help ]]; then list+=' help'; fi
      if [[ $last == -* ]]; then list='--help --version'; fi
      ;;
${groupNames()
  .map((group) => `    '${group} ') list='${wordsOf(secondWords(group))}' ;;\n`)
  .join('')}    *)
      if [[ $is_help ]]; then return; fi
${optionSets().map(optionCase).join('')}      if [[ ! $value ]]; then
        if [[ $last == -* ]]; then
          list=$options
        else
          case $command in
${positionalSets().map(positionalCase).join('')}          esac
        fi
      fi
      ;;
  esac
  if [[ $paths ]]; then compopt -o filenames; fi
  mapfile -t COMPREPLY < <(compgen $paths -W "$list" -- "$current")
}

complete -F _kloset_gateway kloset-gateway
`.replaceAll('\\`', '`');
}

/** The options of some commands, and what they can be. */
function optionCase({ commands, options }: OptionSet): string {
  const withValue = options.filter(({ value }) => value !== undefined);
  const alike = groupedBy(withValue, ({ value = '', words }) => assignments(candidatesOf(value, words)));
  const cases = [...alike].map(
    ([assigned, same]) => `            ${same.map(({ name }) => `--${name}`).join(' | ')}) value=1${assigned} ;;\n`,
  );
  return `      case $command in
        ${commands.map(shellWord).join(' | ')})
          options+=' ${options.map(({ name }) => `--${name}`).join(' ')}'
${cases.length === 0 ? '' : `          case $option in\n${cases.join('')}          esac\n`}          ;;
      esac
`;
}

function positionalCase({ commands, positionals }: PositionalSet): string {
  const assigned = assignments(candidatesOf(positionals[0]?.title ?? ''));
  return assigned === '' ? '' : `            ${commands.map(shellWord).join(' | ')})${assigned} ;;\n`;
}

function assignments({ words, paths }: Candidates): string {
  return [
    ...(words.length > 0 ? [` list='${words.join(' ')}'`] : []),
    ...(paths === undefined ? [] : [` paths=${paths === 'files' ? '-f' : '-d'}`]),
  ].join('');
}

function wordsOf(entries: readonly { readonly word: string }[]): string {
  return entries.map(({ word }) => word).join(' ');
}
