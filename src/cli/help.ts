import { locationForms, ownLocationForms } from '../backends/backends.js';
import { commands, keepCommands, undoCommands, type CommandName, type Usage } from './commands.js';
import { configOption, optionGroups, type Option } from './options.js';

const column = 28;
const width = 92;

/** The text that `--help` prints: about the program, or about one command. */
export function helpText(about?: CommandName): string {
  const usage = commands.find(({ name }) => name === about);
  return usage === undefined ? programHelp() : commandHelp(usage);
}

function programHelp(): string {
  return `kloset-gateway serves plakar Kloset stores over HTTP and gRPC. By default callers may only read.

Usage:
  kloset-gateway COMMAND [arguments]

Commands:
${commands.map((usage) => entry(callOf(usage), usage.help)).join('\n')}

kloset-gateway COMMAND --help is about one command; --version (-v) prints the version.

Examples:
  kloset-gateway serve --sample
      a store to try things out; then: curl localhost:9876/resources/states
  kloset-gateway serve /srv/kloset
      read-only, reachable from this machine only
  kloset-gateway serve /srv/kloset --allow-write
      add backups, but destroy nothing: plakar at http://localhost:9876 backup /etc
  kloset-gateway serve /srv/kloset --listen :9876 --grpc-listen off
      read-only, over HTTP only, for everyone who can reach this machine
  kloset-gateway serve /srv/kloset --listen unix:/run/kloset/admin.sock --grpc-listen off --allow-delete
      maintenance through a unix socket
  kloset-gateway serve sftp://backup@nas.example.org/srv/kloset --allow-write
      a store on an SSH server, with your keys, known_hosts and ~/.ssh/config
  kloset-gateway serve s3://s3.eu-central-1.amazonaws.com/backups/kloset --allow-write
      a store in S3, with the credentials of the environment or ~/.aws
  kloset-gateway serve --config /etc/kloset-gateway/kloset-gateway.yaml
      several stores and principals
  kloset-gateway token create web-1 --access blue=append --config /etc/kloset-gateway/kloset-gateway.yaml
      a token for web-1; its SHA-256 is added to the file
  kloset-gateway restore-states /srv/kloset --as-of 2026-11-01T00:00Z
      what it takes to undo all removals and deletes since then; --apply does it
  kloset-gateway copy /srv/kloset s3://s3.eu-central-1.amazonaws.com/backups/kloset --create
      a second copy elsewhere; the same again copies what is new
`;
}

function commandHelp(usage: Usage): string {
  const takesSettings = usage.name === 'serve' || usage.name === 'check-config';
  const isAbout = (names: readonly CommandName[]): boolean => names.includes(usage.name);
  const sections = [
    `Usage:\n  kloset-gateway ${callOf(usage)}${usage.options.length > 0 ? ' [options]' : ''}`,
    wrapped(`${usage.name} ${usage.help}.`, width).join('\n'),
    ...(takesSettings || isAbout(undoCommands) || isAbout(keepCommands)
      ? [
          wrapped(
            `${locationTitles(usage)} ${usage.name === 'repair' ? ownLocationForms : locationForms}${defaultLocation(usage)}.`,
            width,
          ).join('\n'),
        ]
      : []),
    ...(usage.options.length > 0
      ? [`Options:\n${(takesSettings ? [configOption] : usage.options).map(optionHelp).join('\n')}`]
      : []),
    ...(takesSettings
      ? [
          ...optionGroups.map(({ title, options }) => `${title}:\n${options.map(optionHelp).join('\n')}`),
          `Every option can also be set in the configuration file and in the environment: log-level is
--log-level and KLOSET_GATEWAY_LOG_LEVEL. Options override variables, and variables override the file.
${offHelp}
TIME is 250ms, 30s, 5m, 1h, or a number of seconds; SIZE is 512KiB, 4GiB, 2TiB, or a number of bytes.
plakar's spelling of options is accepted too: -listen :9876, -allow-delete.`,
        ]
      : []),
    ...(isAbout(undoCommands) ? [`${momentHelp}\n${undoHelp}`] : []),
    ...(isAbout(keepCommands) ? [keepHelp(usage)] : []),
  ];
  return `${sections.join('\n\n')}\n`;
}

/** The options that don't have the name of their setting. */
const offHelp = `There, ${new Intl.ListFormat('en').format(
  optionGroups
    .flatMap(({ options }) => options)
    .flatMap(({ name, turnsOff }) => (turnsOff === undefined ? [] : [`--${name} is ${turnsOff}: false`])),
)}.`;

const momentHelp = `MOMENT is 2026-11-01T00:00Z, 2026-11-01 (its beginning, in UTC), or 3d, 12h or 90m ago. Times are in UTC.`;

const undoHelp = `This works beside a running gateway. docs/undo.md says what to do when snapshots are gone.`;

/** What is said of other copies, where that isn't the same as of LOCATION. */
const others: Partial<Record<CommandName, string>> = {
  copy: 'Each can also be ',
  repair: "The other copy can also be another gateway's store, grpc[s]://host[:port][/store], or\n",
};

function keepHelp({ name, options }: Usage): string {
  const takes = (placeholder: string): boolean => options.some(({ value }) => value === placeholder);
  return [
    ...(takes('MOMENT') ? [momentHelp] : []),
    ...(takes('SIZE') ? ['SIZE is 512KiB, 4GiB, 2TiB, or a number of bytes.'] : []),
    ...(name === 'copy' || takes('LOCATION')
      ? [
          `${others[name] ?? 'The other copy can also be '}@NAME: the store NAME of the configuration file, with its own S3 settings.`,
        ]
      : []),
    'This works beside a running gateway. docs/keep.md says how to keep a second copy and mend damage.',
  ].join('\n');
}

/** The arguments that are locations, as the subject of a sentence. */
function locationTitles({ name, positionals }: Usage): string {
  return name === 'copy' ? `${positionals.map(({ title }) => title).join(' and ')} are each` : 'LOCATION is';
}

function defaultLocation({ name }: Usage): string {
  return name === 'copy' ? '' : '; by default $PLAKAR_REPOSITORY or ~/.plakar';
}

/** A command with its arguments: `token revoke NAME [ID]`. */
function callOf({ name, positionals }: Usage): string {
  return [name, ...positionals.map(({ title, required }) => (required ? title : `[${title}]`))].join(' ');
}

function optionHelp({ name, value, help }: Option): string {
  return entry(`--${name}${value === undefined ? '' : ` ${value}`}`, help);
}

/** What is explained, and on the right of it the explanation. */
function entry(title: string, help: string): string {
  const label = `  ${title}`;
  const [first = '', ...rest] = wrapped(help, width - column);
  const indent = ' '.repeat(column);
  const start = label.length < column - 1 ? [label.padEnd(column) + first] : [label, indent + first];
  return [...start, ...rest.map((line) => indent + line)].join('\n');
}

/** Lines of at most `length` characters, except for longer words. */
function wrapped(text: string, length: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > length) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}
