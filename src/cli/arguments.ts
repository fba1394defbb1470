import { parseArgs } from 'node:util';
import { fileOnlyProblem } from '../config/environment.js';
import type { TextSettings } from '../config/sources.js';
import { suggestion } from '../config/suggestion.js';
import type { Usage } from './commands.js';
import { settingOf, type Option, type TypedOption } from './option.js';
import { fileOnlyNames, serverOptions } from './setting-options.js';

type Typed = Readonly<Record<string, string | string[] | boolean>>;

/** What follows a command's name, by the command's usage. What is wrong with it is among the problems. */
export class Arguments {
  readonly problems: string[];
  private readonly typed: Typed;
  private readonly positionals: readonly string[];

  constructor({ name, options, positionals: allowed }: Usage, args: readonly string[]) {
    const { typed, positionals, problems } = parseOptions(args, options);
    this.typed = typed;
    this.positionals = positionals;
    this.problems = problems;
    const call = [name, ...allowed.filter(({ required }) => required).map(({ title }) => title)].join(' ');
    allowed.forEach(({ title, required }, i) => {
      if (required && positionals[i] === undefined) problems.push(`\`${name}\` needs ${title}: \`${call}\``);
    });
    for (const each of positionals.slice(allowed.length)) problems.push(`unexpected argument ${JSON.stringify(each)}`);
  }

  /** The configuration file; undefined: none is named. */
  get configPath(): string | undefined {
    return this.text('config');
  }

  /** All options but the configuration file, by the settings that they set. */
  get settings(): TextSettings {
    return Object.fromEntries(Object.entries(this.typed).filter(([name]) => name !== 'config'));
  }

  /** The options about the servers of stores. */
  get serverSettings(): TextSettings {
    const isServers = (name: string): boolean => serverOptions.some((each) => settingOf(each) === name);
    return Object.fromEntries(Object.entries(this.typed).filter(([name]) => isServers(name)));
  }

  /** The argument at this position, from 0. */
  positional(index: number): string | undefined {
    return this.positionals[index];
  }

  text(name: string): string | undefined {
    const value = this.typed[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** Of an option that can be repeated. */
  texts(name: string): readonly string[] {
    const value = this.typed[name];
    return Array.isArray(value) ? value : [];
  }

  isOn(name: string): boolean {
    return this.typed[name] === true;
  }

  /** Undefined where it isn't given or has a problem. */
  value<T>({ name, type }: TypedOption<T>): T | undefined {
    const written = this.text(name);
    if (written === undefined) return undefined;
    const { success, data, error } = type.safeParse(written);
    if (success) return data;
    this.problems.push(`--${name} ${JSON.stringify(written)}: ${error.issues[0]?.message ?? 'is not valid'}`);
    return undefined;
  }
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
    // A switch that is on by default can be turned on by its own name, although the help doesn't say so: a file may turn it off.
    const option = options.find((each) => each.name === name || settingOf(each) === name);
    const present = typed[name];
    if (option === undefined) {
      const known = options.map((each) => `--${each.name}`);
      problems.push(
        fileOnlyNames.includes(name)
          ? `${rawName}: ${fileOnlyProblem}`
          : `unknown option ${JSON.stringify(rawName)}${suggestion(rawName, known)}`,
      );
    } else if (option.value === undefined) {
      const setting = settingOf(option);
      const isOff = name !== setting;
      if (value === undefined || value === 'true' || value === 'false') typed[setting] = (value !== 'false') !== isOff;
      else problems.push(`${rawName} takes no value`);
    } else if (value === undefined || (inlineValue !== true && value.startsWith('-'))) {
      problems.push(`${rawName} needs a value: ${option.value}`);
    } else if (option.repeatable === true) typed[name] = Array.isArray(present) ? [...present, value] : [value];
    else if (present === undefined) typed[name] = value;
    else problems.push(`${rawName} is given twice`);
  }
  return { typed, positionals, problems };
}
