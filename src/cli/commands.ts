import { configOption, expiresOption, serveOptions, tokenAccessOption, type Option } from './options.js';

export type CommandName = 'serve' | 'check-config' | 'token create' | 'token list' | 'token revoke' | 'plugin';

/** How a command is called. */
export interface Usage {
  /** One word or two. */
  readonly name: CommandName;
  readonly positionals: readonly { readonly title: string; readonly required: boolean }[];
  readonly options: readonly Option[];
  /** A phrase that says what it does. */
  readonly help: string;
}

const location = [{ title: 'LOCATION', required: false }];

export const commands: readonly Usage[] = [
  { name: 'serve', positionals: location, options: serveOptions, help: 'serves stores until it is stopped' },
  {
    name: 'check-config',
    positionals: location,
    options: serveOptions,
    help: 'checks settings as `serve` does, and shows what they add up to',
  },
  {
    name: 'token create',
    positionals: [{ title: 'NAME', required: true }],
    options: [expiresOption, tokenAccessOption, configOption],
    help: 'makes a token for the principal NAME, and adds its hash to the configuration file',
  },
  {
    name: 'token list',
    positionals: [],
    options: [configOption],
    help: 'lists the principals of the configuration file and their tokens',
  },
  {
    name: 'token revoke',
    positionals: [
      { title: 'NAME', required: true },
      { title: 'ID', required: false },
    ],
    options: [configOption],
    help: 'removes a token of NAME from the configuration file; ID is what `token list` shows',
  },
  { name: 'plugin', positionals: [], options: [], help: 'is started by plakar, as its storage plugin' },
];

/** The command that arguments start with, and the arguments that follow its name. */
export function commandNamed(
  argv: readonly string[],
): { readonly usage: Usage; readonly args: readonly string[] } | undefined {
  const usage = commands.find(({ name }) => name.split(' ').every((word, i) => argv[i] === word));
  return usage && { usage, args: argv.slice(usage.name.split(' ').length) };
}
