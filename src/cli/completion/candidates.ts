import { commands, type CommandName, type Positional } from '../commands.js';
import type { Option } from '../option.js';

/** What a shell offers for a value. */
export interface Candidates {
  readonly words: readonly string[];
  readonly paths: 'files' | 'folders' | undefined;
  /** Whether the words also follow a name and `=`. */
  readonly afterName: boolean;
}

/** Options with the commands that have all of them. */
export interface OptionSet {
  readonly commands: readonly CommandName[];
  readonly options: readonly Option[];
}

/** Arguments with the commands that take them. */
export interface PositionalSet {
  readonly commands: readonly CommandName[];
  readonly positionals: readonly Positional[];
}

const paths: Readonly<Record<string, Candidates['paths']>> = {
  FILE: 'files',
  FOLDER: 'folders',
  LOCATION: 'folders',
  SOURCE: 'folders',
  DESTINATION: 'folders',
};

/** What a placeholder stands for: `FILE|none` is a file, or the word none. Nothing is offered for what only the user knows. */
export function candidatesOf(placeholder: string, words: readonly string[] = []): Candidates {
  const parts = placeholder.split('|');
  return {
    words: [...parts.filter((part) => /^[a-z][a-z0-9-]*$/.test(part)), ...words],
    paths: parts.map((part) => paths[part]).find((each) => each !== undefined),
    afterName: placeholder.includes('='),
  };
}

/** All options of all commands, once each. */
export function optionSets(): OptionSet[] {
  const options = [...new Set(commands.flatMap((each) => each.options))].filter(({ isHidden }) => isHidden !== true);
  const havingIt = (option: Option): CommandName[] =>
    commands.filter((each) => each.options.includes(option)).map(({ name }) => name);
  return [...groupedBy(options, (option) => havingIt(option).join()).values()].map((alike) => ({
    commands: alike.slice(0, 1).flatMap(havingIt),
    options: alike,
  }));
}

/** The commands that take arguments, by these arguments. */
export function positionalSets(): PositionalSet[] {
  const taking = commands.filter(({ positionals }) => positionals.length > 0);
  return [...groupedBy(taking, ({ positionals }) => JSON.stringify(positionals)).values()].map((alike) => ({
    commands: alike.map(({ name }) => name),
    positionals: alike[0]?.positionals ?? [],
  }));
}

/** Items by their key, in their order. */
export function groupedBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

/** What the first word can be, and what each means. */
export function firstWords(): { readonly word: string; readonly help: string }[] {
  return [...new Set(commands.map(({ name }) => firstOf(name)))].map((word) => ({
    word,
    help:
      commands.find(({ name }) => name === word)?.help ??
      secondWords(word)
        .map((each) => each.word)
        .join(', '),
  }));
}

/** The groups of commands of two words. */
export function groupNames(): string[] {
  return [...new Set(commands.filter(({ name }) => name.includes(' ')).map(({ name }) => firstOf(name)))];
}

/** What the second word can be after the name of a group. */
export function secondWords(group: string): { readonly word: string; readonly help: string }[] {
  return commands
    .filter(({ name }) => name.startsWith(`${group} `))
    .map(({ name, help }) => ({ word: name.slice(group.length + 1), help }));
}

function firstOf(name: CommandName): string {
  return name.split(' ')[0] ?? name;
}
