import {
  allOption,
  applyOption,
  asOfOption,
  beforeOption,
  configOption,
  deletedSinceOption,
  deletedUntilOption,
  despiteLocksOption,
  expiresOption,
  jsonOption,
  macOption,
  serveOptions,
  serverOptions,
  sinceOption,
  storeOption,
  tokenAccessOption,
  type Option,
} from './options.js';
import {
  againstOption,
  copyAsOfOption,
  createOption,
  dryRunOption,
  fromOption,
  jobsOption,
  lockMacOption,
  rateOption,
  readBackOption,
  recordOption,
  resumeOption,
  sampleOption,
  staleOption,
  toFolderOption,
  unprovenOption,
} from './keep-options.js';

/** The commands about what a store had. */
export const undoCommands = ['trash list', 'trash restore', 'trash purge', 'history', 'restore-states'] as const;

/** The commands that keep stores whole. */
export const keepCommands = ['copy', 'verify', 'repair', 'info', 'locks list', 'locks remove'] as const;

export type UndoCommandName = (typeof undoCommands)[number];
export type KeepCommandName = (typeof keepCommands)[number];

export type CommandName =
  | 'serve'
  | 'check-config'
  | 'token create'
  | 'token list'
  | 'token revoke'
  | 'notify test'
  | UndoCommandName
  | KeepCommandName
  | 'plugin';

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

/** The options of every command about a store. */
const ofStores = [configOption, storeOption, jsonOption, ...serverOptions];

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
  {
    name: 'notify test',
    positionals: [],
    options: [configOption],
    help: 'sends a test to each webhook and mail address of the configuration file, and shows what became of it',
  },
  {
    name: 'history',
    positionals: location,
    options: [sinceOption, ...ofStores],
    help: 'shows what arrived in a store and went, by day, and what looks like a removal of snapshots',
  },
  {
    name: 'restore-states',
    positionals: location,
    options: [asOfOption, applyOption, despiteLocksOption, ...ofStores],
    help: 'takes a store back to a moment: brings back what was deleted after it, and moves states that arrived later to the trash',
  },
  {
    name: 'trash list',
    positionals: location,
    options: [deletedSinceOption, ...ofStores],
    help: "lists what is in a store's trash",
  },
  {
    name: 'trash restore',
    positionals: location,
    options: [macOption, deletedSinceOption, deletedUntilOption, allOption, applyOption, ...ofStores],
    help: "brings back what is in a store's trash",
  },
  {
    name: 'trash purge',
    positionals: location,
    options: [beforeOption, allOption, applyOption, ...ofStores],
    help: "removes what is in a store's trash, for good",
  },
  {
    name: 'copy',
    positionals: [
      { title: 'SOURCE', required: true },
      { title: 'DESTINATION', required: true },
    ],
    options: [
      createOption,
      jobsOption,
      rateOption,
      readBackOption,
      copyAsOfOption,
      dryRunOption,
      configOption,
      jsonOption,
      ...serverOptions,
    ],
    help: 'copies what one store has and another one has not; nothing is replaced or deleted there',
  },
  {
    name: 'verify',
    positionals: location,
    options: [againstOption, sampleOption, rateOption, jobsOption, recordOption, resumeOption, ...ofStores],
    help: 'reads the objects of a store and finds those that are damaged, without a passphrase',
  },
  {
    name: 'repair',
    positionals: location,
    options: [fromOption, macOption, unprovenOption, toFolderOption, rateOption, jobsOption, applyOption, ...ofStores],
    help: 'replaces the damaged objects of a store with good ones of another copy',
  },
  {
    name: 'info',
    positionals: location,
    options: ofStores,
    help: 'shows what a store has: objects, bytes, times of arrival, its format and encryption, leftovers and locks',
  },
  { name: 'locks list', positionals: location, options: ofStores, help: "lists a store's locks, with their age" },
  {
    name: 'locks remove',
    positionals: location,
    options: [staleOption, lockMacOption, applyOption, ...ofStores],
    help: 'removes locks that clients left in a store; those that are still refreshed stay',
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
