import { commands, commandsIn, type Usage } from './commands.js';
import { examples } from './examples.js';
import type { Option } from './option.js';
import { optionGroups } from './setting-options.js';

/** What the help and the man page tell about the program, a group of commands, or a command. */
export interface HelpPage {
  readonly summary: string;
  /** What is typed, with the program's name. */
  readonly synopsis: string;
  /** Paragraphs about the arguments. */
  readonly argumentNotes: readonly string[];
  /** Commands or options. */
  readonly lists: readonly HelpList[];
  readonly notes: readonly string[];
  readonly examples: typeof examples;
}

export interface HelpList {
  readonly title: string;
  readonly entries: readonly { readonly term: string; readonly text: string }[];
}

/** The page about the program, or about the command or group of commands with this name. */
export function helpPage(about?: string): HelpPage {
  const usage = commands.find(({ name }) => name === about);
  if (usage !== undefined) return commandPage(usage);
  return about === undefined ? programPage() : groupPage(about);
}

/** A command with its arguments: `token revoke NAME [ID]`. */
export function callOf({ name, positionals }: Usage): string {
  return [name, ...positionals.map(({ title, required }) => (required ? title : `[${title}]`))].join(' ');
}

function programPage(): HelpPage {
  return {
    summary: 'kloset-gateway serves plakar Kloset stores over HTTP and gRPC. By default callers may only read.',
    synopsis: 'kloset-gateway COMMAND [arguments]',
    argumentNotes: [],
    lists: [commandList(commands)],
    notes: ['`kloset-gateway help COMMAND` is about one command; --version (-v) prints the version.'],
    examples,
  };
}

function groupPage(group: string): HelpPage {
  return {
    summary: `The commands that start with ${group}.`,
    synopsis: `kloset-gateway ${group} COMMAND [arguments]`,
    argumentNotes: [],
    lists: [commandList(commandsIn(group))],
    notes: [`\`kloset-gateway help ${group} COMMAND\` is about one command.`],
    examples: [],
  };
}

function commandPage(usage: Usage): HelpPage {
  const { name, help, options, locations, notes = [] } = usage;
  return {
    summary: `${help.charAt(0).toUpperCase()}${help.slice(1)}.`,
    synopsis: `kloset-gateway ${callOf(usage)}${options.length > 0 ? ' [options]' : ''}`,
    argumentNotes: locations === undefined ? [] : [locations],
    lists: optionLists(options.filter(({ isHidden }) => isHidden !== true)),
    notes,
    examples: examples.filter(({ call }) => call.startsWith(`${name} `)),
  };
}

function commandList(listed: readonly Usage[]): HelpList {
  return { title: 'Commands', entries: listed.map((usage) => ({ term: callOf(usage), text: usage.help })) };
}

/** The command's own options, then those that are settings, in their groups. */
function optionLists(options: readonly Option[]): HelpList[] {
  const settings = optionGroups.flatMap((group) => group.options);
  const lists = [
    { title: 'Options', options: options.filter((each) => !settings.includes(each)) },
    ...optionGroups.map((group) => ({
      title: group.title,
      options: group.options.filter((each) => options.includes(each)),
    })),
  ];
  return lists
    .filter((list) => list.options.length > 0)
    .map(({ title, options: listed }) => ({
      title,
      entries: listed.map(({ name, value, help }) => ({
        term: `--${name}${value === undefined ? '' : ` ${value}`}`,
        text: help,
      })),
    }));
}
