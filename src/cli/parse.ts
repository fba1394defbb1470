import { parseArgs } from 'node:util';
import type { TextSettings } from '../config/sources.js';
import { fileOnlyProblem } from '../config/environment.js';
import { suggestion } from '../config/suggestion.js';
import { commands, commandNamed, type CommandName, type Usage } from './commands.js';
import { fileOnlyNames, type Option } from './options.js';

export type Command =
  | { readonly name: 'help'; /** Undefined: the program's. */ readonly about: CommandName | undefined }
  | { readonly name: 'version' | 'plugin' }
  | UnknownCommand
  | ServeCommand
  | TokenCommand;

/** Wrong usage: of a command, or of none that there is. */
export interface UnknownCommand {
  readonly name: 'unknown';
  readonly command?: CommandName;
  readonly problems: readonly string[];
}

/** Serves, or checks the settings for that. */
export interface ServeCommand {
  readonly name: 'serve' | 'check-config';
  /** The options and the location as typed: their values aren't checked. */
  readonly flags: TextSettings;
  /** The configuration file; undefined: none is named. */
  readonly configPath: string | undefined;
  readonly problems: readonly string[];
}

export type TokenCommand = TokenCreateCommand | TokenListCommand | TokenRevokeCommand;

/** Makes a token for a principal. */
export interface TokenCreateCommand {
  readonly name: 'token create';
  readonly principal: string;
  /** As typed; undefined: never. */
  readonly expires: string | undefined;
  /** As typed: `STORE=LEVEL`, or `LEVEL` for the default store. */
  readonly access: readonly string[];
  /** The file that the token's hash is added to; undefined: none is named. */
  readonly configPath: string | undefined;
}

/** Lists the tokens in a configuration file. */
export interface TokenListCommand {
  readonly name: 'token list';
  /** Undefined: none is named. */
  readonly configPath: string | undefined;
}

/** Removes a token from a configuration file. */
export interface TokenRevokeCommand {
  readonly name: 'token revoke';
  readonly principal: string;
  /** The start of the token's SHA-256; undefined: the principal's only one. */
  readonly id: string | undefined;
  /** Undefined: none is named. */
  readonly configPath: string | undefined;
}

type Typed = Readonly<Record<string, string | string[] | boolean>>;

/**
 * Parses the command line, without the program's name. plakar's spelling of options, `-listen ADDR`, is equivalent to
 * `--listen ADDR`. All problems are reported; the flags contain the options without one, so that their values can be checked as
 * well. Pure.
 */
export function parseCommandLine(argv: readonly string[]): Command {
  const [first, second] = argv;
  const found = commandNamed(argv);
  if (first === undefined || first === 'help' || argv.some((arg) => /^(-h|--?help)$/.test(arg)))
    return { name: 'help', about: (first === 'help' ? commandNamed(argv.slice(1)) : found)?.usage.name };
  if (/^((--?)?version|-v)$/.test(first)) return { name: 'version' };
  if (found !== undefined) return parseCommand(found.usage, found.args);
  const typed = first === 'token' && second !== undefined && !second.startsWith('-') ? `token ${second}` : first;
  const names = commands.map(({ name }) => name);
  const hint = suggestion(typed, [...names, '--help', '--version']) || `: there are ${names.join(', ')}`;
  return { name: 'unknown', problems: [`unknown command ${JSON.stringify(typed)}${hint}`] };
}

function parseCommand({ name, options, positionals: allowed }: Usage, args: readonly string[]): Command {
  const { typed, positionals, problems } = parseOptions(args, options);
  allowed.forEach(({ title, required }, i) => {
    if (required && positionals[i] === undefined) problems.push(`\`${name}\` needs ${title}: \`${name} ${title}\``);
  });
  for (const each of positionals.slice(allowed.length)) problems.push(`unexpected argument ${JSON.stringify(each)}`);
  const [argument, id] = positionals;
  const { config, ...flags } = typed;
  const configPath = textOf(config);
  if (name === 'serve' || name === 'check-config') {
    return { name, flags: argument === undefined ? flags : { location: argument, ...flags }, configPath, problems };
  }
  if (problems.length > 0) return { name: 'unknown', command: name, problems };
  const principal = argument ?? '';
  switch (name) {
    case 'token create': {
      const { access } = typed;
      return {
        name,
        principal,
        expires: textOf(typed['expires']),
        access: Array.isArray(access) ? access : [],
        configPath,
      };
    }
    case 'token list':
      return { name, configPath };
    case 'token revoke':
      return { name, principal, id, configPath };
    case 'plugin':
      return { name };
  }
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
    // `rawName` has the dashes; `inlineValue`: the value is in the same argument, as in `--name=value`.
    const { name, rawName, value, inlineValue } = token;
    const option = options.find((each) => each.name === name);
    const present = typed[name];
    if (option === undefined) {
      const known = options.map((each) => `--${each.name}`);
      problems.push(
        fileOnlyNames.includes(name)
          ? `${rawName}: ${fileOnlyProblem}`
          : `unknown option ${JSON.stringify(rawName)}${suggestion(rawName, known)}`,
      );
    } else if (option.value === undefined) {
      if (value === undefined || value === 'true' || value === 'false') typed[name] = value !== 'false';
      else problems.push(`${rawName} takes no value`);
    } else if (value === undefined || (inlineValue !== true && value.startsWith('-'))) {
      problems.push(`${rawName} needs a value: ${option.value}`);
    } else if (option.repeatable === true) typed[name] = Array.isArray(present) ? [...present, value] : [value];
    else if (present === undefined) typed[name] = value;
    else problems.push(`${rawName} is given twice`);
  }
  return { typed, positionals, problems };
}
