import { parseArgs } from 'node:util';
import type { TextSettings } from '../config/sources.js';
import { fileOnlyProblem } from '../config/environment.js';
import { fileOnlyNames, serveOptions, tokenOptions, type Option } from './options.js';

export type Command =
  | { readonly name: 'help' | 'version' | 'plugin' }
  | { readonly name: 'unknown'; readonly problems: readonly string[] }
  | ServeCommand
  | TokenCommand;

/** Serves, or checks the settings for that. */
export interface ServeCommand {
  readonly name: 'serve' | 'check-config';
  /** The options and the location as typed: their values aren't checked. */
  readonly flags: TextSettings;
  /** The configuration file; undefined: none is named. */
  readonly configPath: string | undefined;
  readonly problems: readonly string[];
}

/** Makes a token for a principal. */
export interface TokenCommand {
  readonly name: 'token create';
  readonly principal: string;
  /** As typed; undefined: never. */
  readonly expires: string | undefined;
  /** The file that the token's hash is added to; undefined: none. */
  readonly configPath: string | undefined;
}

type Typed = Readonly<Record<string, string | string[] | boolean>>;

/**
 * Parses the command line, without the program's name. plakar's spelling of options, `-listen ADDR`, is equivalent to
 * `--listen ADDR`. All problems are reported; the flags contain the options without one, so that their values can be checked as
 * well. Pure.
 */
export function parseCommandLine(argv: readonly string[]): Command {
  const [command, ...rest] = argv;
  if (command === undefined || command === 'help' || argv.some((arg) => /^(-h|--?help)$/.test(arg)))
    return { name: 'help' };
  if (/^(--?)?version$/.test(command)) return { name: 'version' };
  // Only plakar starts it, without arguments: it gets everything over stdin.
  if (command === 'plugin' && rest.length === 0) return { name: 'plugin' };
  if (command === 'plugin') return { name: 'unknown', problems: ['`plugin` takes no arguments: plakar starts it'] };
  if (command === 'serve' || command === 'check-config') return parseServe(command, rest);
  if (command === 'token') return parseToken(rest);
  const known = 'try `serve`, `check-config` or `token create`';
  return { name: 'unknown', problems: [`unknown command ${quote(command)}: ${known}`] };
}

function parseServe(name: ServeCommand['name'], args: readonly string[]): Command {
  const { typed, positionals, problems } = parseOptions(args, serveOptions);
  const { config, ...flags } = typed;
  const [location, ...more] = positionals;
  for (const each of more) problems.push(`there can be only one location: ${quote(each)} is another one`);
  return {
    name,
    flags: location === undefined ? flags : { location, ...flags },
    configPath: textOf(config),
    problems,
  };
}

function parseToken(args: readonly string[]): Command {
  const { typed, positionals, problems } = parseOptions(args, tokenOptions);
  const [action, principal, ...more] = positionals;
  if (action !== 'create' || principal === undefined) {
    problems.unshift('usage: `token create NAME`, which makes a token for the principal NAME');
  }
  for (const each of more) problems.push(`there can be only one name: ${quote(each)} is another one`);
  if (problems.length > 0 || principal === undefined) return { name: 'unknown', problems };
  return { name: 'token create', principal, expires: textOf(typed['expires']), configPath: textOf(typed['config']) };
}

function textOf(value: Typed[string] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function parseOptions(
  args: readonly string[],
  options: readonly Option[],
): { typed: Typed; positionals: string[]; problems: string[] } {
  const problems: string[] = [];
  const positionals: string[] = [];
  const typed: Record<string, string | string[] | boolean> = {};
  const { tokens } = parseArgs({
    args: args.map((arg) => arg.replace(/^-(?=[a-z][a-z0-9.-]+(=|$))/s, '--')),
    options: {
      ...Object.fromEntries(options.map(({ name, value }) => [name, { type: value ? 'string' : 'boolean' }])),
      // So that their values aren't taken for the location.
      ...Object.fromEntries(fileOnlyNames.map((name) => [name, { type: 'string' }])),
    },
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const option = options.find((each) => each.name === token.name);
    const problem = addOption(typed, option, token.rawName, token.value, token.inlineValue ?? false);
    if (problem !== undefined) problems.push(problem);
  }
  return { typed, positionals, problems };
}

/** Adds an option to those that were typed, or returns a problem with it. */
function addOption(
  typed: Record<string, string | string[] | boolean>,
  option: Option | undefined,
  rawName: string,
  value: string | undefined,
  inline: boolean,
): string | undefined {
  if (option === undefined) {
    return fileOnlyNames.includes(rawName.slice(2))
      ? `${rawName}: ${fileOnlyProblem}`
      : `unknown option ${quote(rawName)}`;
  }
  const { name } = option;
  if (option.value === undefined) {
    if (value !== undefined && value !== 'true' && value !== 'false') return `${rawName} takes no value`;
    typed[name] = value !== 'false';
    return undefined;
  }
  if (value === undefined || (!inline && value.startsWith('-'))) return `${rawName} needs a value: ${option.value}`;
  const present = typed[name];
  if (option.repeatable === true) typed[name] = Array.isArray(present) ? [...present, value] : [value];
  else if (present === undefined) typed[name] = value;
  else return `${rawName} is given twice`;
  return undefined;
}

/** The user's text, with its control characters escaped. */
function quote(text: string): string {
  return JSON.stringify(text);
}
