import { parseArgs } from 'node:util';
import type { Settings } from '../config/config.js';
import { serveOptions } from './options.js';

export type Command =
  | { readonly name: 'help' | 'version' | 'plugin' }
  | { readonly name: 'unknown'; readonly problems: readonly string[] }
  | { readonly name: 'serve'; readonly settings: Settings; readonly problems: readonly string[] };

/**
 * Parses the command line, without the program's name. plakar's spelling of options, `-listen ADDR`, works as `--listen ADDR`
 * does. Every problem is reported, and what has none is in the settings all the same,
 * so that these can be checked as well. Pure.
 */
export function parseCommandLine(argv: readonly string[]): Command {
  const [command, ...rest] = argv;
  if (command === undefined || command === 'help' || argv.some((arg) => /^(-h|--?help)$/.test(arg)))
    return { name: 'help' };
  if (/^(--?)?version$/.test(command)) return { name: 'version' };
  // Only plakar starts it, without arguments: what it has to know comes over stdin.
  if (command === 'plugin' && rest.length === 0) return { name: 'plugin' };
  if (command === 'plugin') return { name: 'unknown', problems: ['`plugin` takes no arguments: plakar starts it'] };
  if (command !== 'serve')
    return { name: 'unknown', problems: [`there is no command ${quote(command)}: try \`serve\``] };
  return parseServe(rest);
}

function parseServe(args: readonly string[]): Command {
  const problems: string[] = [];
  const settings: Record<string, string | string[] | boolean> = {};
  const { tokens } = parseArgs({
    args: args.map((arg) => arg.replace(/^-(?=[a-z][a-z-]+(=|$))/s, '--')),
    options: Object.fromEntries(serveOptions.map(({ name, value }) => [name, { type: value ? 'string' : 'boolean' }])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === 'positional') {
      if ('location' in settings) problems.push(`one location at a time: ${quote(token.value)} is one too many`);
      else settings['location'] = token.value;
    } else if (token.kind === 'option') {
      const problem = addOption(settings, token.name, token.rawName, token.value, token.inlineValue ?? false);
      if (problem !== undefined) problems.push(problem);
    }
  }
  return { name: 'serve', settings: settings as Settings, problems };
}

/** Adds an option to the settings, or says what is wrong with it. */
function addOption(
  settings: Record<string, string | string[] | boolean>,
  name: string,
  rawName: string,
  value: string | undefined,
  inline: boolean,
): string | undefined {
  const option = serveOptions.find((each) => each.name === name);
  if (option === undefined) return `there is no option ${quote(rawName)}`;
  if (option.value === undefined) {
    if (value !== undefined && value !== 'true' && value !== 'false') return `${rawName} takes no value`;
    settings[name] = value !== 'false';
    return undefined;
  }
  if (value === undefined || (!inline && value.startsWith('-'))) return `${rawName} needs a value: ${option.value}`;
  const present = settings[name];
  if (option.repeatable) settings[name] = Array.isArray(present) ? [...present, value] : [value];
  else if (present === undefined) settings[name] = value;
  else return `${rawName} is given twice`;
  return undefined;
}

/** Text of the user's in a message: one that a terminal takes as it is. */
function quote(text: string): string {
  return JSON.stringify(text);
}
