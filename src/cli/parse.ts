import { suggestion } from '../config/suggestion.js';
import { Arguments } from './arguments.js';
import type {
  Command,
  CopyCommand,
  LocksCommand,
  Pace,
  RepairCommand,
  ServeCommand,
  StoreArgument,
  UndoCommand,
  UnknownCommand,
  VerifyCommand,
} from './command-types.js';
import * as own from './command-options.js';
import { commandNamed, commands, commandsIn, type CommandName, type UndoCommandName, type Usage } from './commands.js';
import { isShell, shells } from './completion/completion-script.js';

/**
 * Parses the command line, without the program's name. plakar's spelling of options, `-listen ADDR`, is equivalent to
 * `--listen ADDR`. All problems are reported; the flags of `serve` contain the options without one, so that their values can be checked as
 * well. Pure.
 */
export function parseCommandLine(argv: readonly string[]): Command {
  const [first] = argv;
  const words = argv.filter((arg) => !/^(-h|--?help)$/.test(arg));
  if (first === 'help') return helpAbout(words.slice(1));
  if (first === undefined || words.length < argv.length) return helpAbout(words);
  if (/^((--?)?version|-v)$/.test(first)) return { name: 'version' };
  const found = commandNamed(argv);
  return found === undefined ? unknownCommand(argv) : parseCommand(found.usage, found.args);
}

function helpAbout(words: readonly string[]): Command {
  const [first, second] = words;
  if (first === undefined || first === 'help' || first.startsWith('-')) return { name: 'help', about: undefined };
  const found = commandNamed(words);
  if (found !== undefined) return { name: 'help', about: found.usage.name };
  const isGroup = commandsIn(first).length > 0 && (second === undefined || second.startsWith('-'));
  return isGroup ? { name: 'help', about: first } : unknownCommand(words);
}

function unknownCommand([first = '', second]: readonly string[]): UnknownCommand {
  const group = commandsIn(first);
  const names = (group.length > 0 ? group : commands).map(({ name }) => name);
  const typed = group.length > 0 && second !== undefined && !second.startsWith('-') ? `${first} ${second}` : first;
  const hint = suggestion(typed, [...names, 'help', '--help', '--version']) || `: there are ${names.join(', ')}`;
  return { name: 'unknown', problems: [`unknown command ${JSON.stringify(typed)}${hint}`] };
}

function parseCommand(usage: Usage, argv: readonly string[]): Command {
  const args = new Arguments(usage, argv);
  const command = readers[usage.name](args);
  const { problems } = args;
  // `serve` and `check-config` report theirs with those of the values.
  if ('problems' in command || problems.length === 0) return command;
  return { name: 'unknown', command: usage.name, problems, ...(args.isOn('json') && { json: true }) };
}

/** Reads the arguments of each command. What it makes of wrong ones isn't used. */
const readers: Readonly<Record<CommandName, (args: Arguments) => Command>> = {
  serve: (args) => serve('serve', args),
  'check-config': (args) => serve('check-config', args),
  'token create': (args) => ({
    name: 'token create',
    principal: args.positional(0) ?? '',
    expires: args.text('expires'),
    access: args.texts('access'),
    configPath: args.configPath,
  }),
  'token list': ({ configPath }) => ({ name: 'token list', configPath }),
  'token revoke': (args) => ({
    name: 'token revoke',
    principal: args.positional(0) ?? '',
    id: args.positional(1),
    configPath: args.configPath,
  }),
  'notify test': ({ configPath }) => ({ name: 'notify test', configPath }),
  history: (args) => undo('history', args),
  'restore-states': (args) => undo('restore-states', args),
  'trash list': (args) => undo('trash list', args),
  'trash restore': (args) => undo('trash restore', args),
  'trash purge': (args) => undo('trash purge', args),
  copy,
  verify,
  repair,
  info: (args) => ({ name: 'info', ...store(args) }),
  'locks list': (args) => locks('locks list', args),
  'locks remove': (args) => locks('locks remove', args),
  completion,
  plugin: () => ({ name: 'plugin' }),
};

function serve(name: 'serve' | 'check-config', args: Arguments): ServeCommand {
  const { settings, configPath, problems } = args;
  const location = args.positional(0);
  return { name, flags: { ...(location !== undefined && { location }), ...settings }, configPath, problems };
}

function undo(name: UndoCommandName, args: Arguments): UndoCommand {
  return {
    name,
    ...store(args),
    asOf: args.text('as-of'),
    since: args.text('since'),
    until: args.text('until'),
    before: args.text('before'),
    macs: args.texts('mac'),
    all: args.isOn('all'),
    apply: args.isOn('apply'),
    despiteLocks: args.isOn('despite-locks'),
  };
}

function copy(args: Arguments): CopyCommand {
  return {
    name: 'copy',
    source: storeOrName(args.positional(0), args),
    destination: storeOrName(args.positional(1), args),
    ...pace(args),
    create: args.isOn('create'),
    verify: args.isOn('verify'),
    asOf: args.text('as-of'),
    dryRun: args.isOn('dry-run'),
    json: args.isOn('json'),
  };
}

function verify(args: Arguments): VerifyCommand {
  const against = args.text('against');
  const acceptMissing = args.isOn('accept-missing');
  const others = [own.against, own.sample, own.rate, own.record, own.resume].map(({ name }) => name);
  if (acceptMissing && others.some((name) => args.isOn(name) || args.text(name) !== undefined))
    args.problems.push(`--accept-missing reads nothing: leave out ${others.map((name) => `--${name}`).join(', ')}`);
  return {
    name: 'verify',
    ...store(args),
    ...pace(args),
    against: against === undefined ? undefined : storeOrName(against, args),
    sample: args.value(own.sample),
    record: args.isOn('record'),
    acceptMissing,
    resume: args.text('resume'),
  };
}

function repair(args: Arguments): RepairCommand {
  const from = args.text('from');
  if (from === undefined) args.problems.push('say where good objects are: --from LOCATION');
  return {
    name: 'repair',
    ...store(args),
    ...pace(args),
    from: storeOrName(from, args),
    macs: args.texts('mac'),
    unproven: args.isOn('unproven'),
    toFolder: args.text('to-folder'),
    apply: args.isOn('apply'),
  };
}

function locks(name: LocksCommand['name'], args: Arguments): LocksCommand {
  return { name, ...store(args), stale: args.isOn('stale'), macs: args.texts('mac'), apply: args.isOn('apply') };
}

function completion(args: Arguments): Command {
  const shell = args.positional(0);
  if (shell !== undefined && isShell(shell)) return { name: 'completion', shell };
  const problems =
    shell === undefined ? args.problems : [`unknown shell ${JSON.stringify(shell)}: there are ${shells.join(', ')}`];
  return { name: 'unknown', command: 'completion', problems };
}

/** The store that a command is about, and how it reports. */
function store(args: Arguments): StoreArgument & { readonly json: boolean } {
  const location = args.positional(0);
  if (location?.startsWith('@') === true)
    args.problems.push(`${location}: name a store of the configuration file with --store ${location.slice(1)}`);
  return { ...storeAt(location, args), store: args.text('store'), json: args.isOn('json') };
}

/** The store at a location, or with `@` one of the configuration file, which may have keys of its own. */
function storeOrName(written: string | undefined, args: Arguments): StoreArgument {
  const at = storeAt(written, args);
  return written?.startsWith('@') === true ? { ...at, flags: args.serverSettings, store: written.slice(1) } : at;
}

/** The store at a location; undefined: the default one. */
function storeAt(location: string | undefined, args: Arguments): StoreArgument {
  const { serverSettings, configPath } = args;
  return { flags: { ...(location !== undefined && { location }), ...serverSettings }, configPath, store: undefined };
}

function pace(args: Arguments): Pace {
  return { jobs: args.value(own.jobs) ?? own.defaultJobs, bytesPerSecond: args.value(own.rate) };
}
