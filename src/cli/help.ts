import { locationForms } from '../backends/backends.js';
import { configOption, optionGroups, type Option } from './options.js';

const column = 28;
const width = 92;

/** The text that `--help` prints. */
export function helpText(): string {
  return `kloset-gateway serves plakar Kloset stores over HTTP and gRPC. By default callers may only read.

Usage:
  kloset-gateway serve [LOCATION] [--config FILE] [options]
  kloset-gateway check-config [LOCATION] [--config FILE] [options]
  kloset-gateway token create NAME [--expires 90d|DATE] [--config FILE]
  kloset-gateway plugin         (started by plakar, see the README)
  kloset-gateway --help | --version

${wrapped(`LOCATION is ${locationForms}; by default ~/.plakar.`, width).join('\n')}

Options:
${optionHelp(configOption)}

${optionGroups.map(({ title, options }) => `${title}:\n${options.map(optionHelp).join('\n')}`).join('\n\n')}

Every option can also be set in the configuration file and in the environment: log-level is
--log-level and KLOSET_GATEWAY_LOG_LEVEL. Options override variables, and variables override the file.
TIME is 250ms, 30s, 5m, 1h, or a number of seconds; SIZE is 512KiB, 4GiB, 2TiB, or a number of bytes.
plakar's spelling of options is accepted too: -listen :9876, -allow-delete.

Examples:
  kloset-gateway serve --sample
      a store to try things out; then: curl localhost:9876/resources/states
  kloset-gateway serve /var/backups
      read-only, reachable from this machine only
  kloset-gateway serve /var/backups --allow-write
      add backups, but destroy nothing: plakar at http://localhost:9876 backup /etc
  kloset-gateway serve /var/backups --listen :9876 --grpc-listen off
      read-only, over HTTP only, for everyone who can reach this machine
  kloset-gateway serve /var/backups --listen unix:/run/kloset/admin.sock --grpc-listen off --allow-delete
      maintenance through a unix socket
  kloset-gateway serve sftp://backup@nas.example.org/srv/kloset --allow-write
      a store on an SSH server, with your keys, known_hosts and ~/.ssh/config
  kloset-gateway serve --config /etc/kloset-gateway/kloset-gateway.yaml
      several stores and principals
  kloset-gateway token create web-1 --expires 90d --config /etc/kloset-gateway/kloset-gateway.yaml
      a token for web-1; its SHA-256 is added to the file
`;
}

function optionHelp({ name, value, help }: Option): string {
  const label = `  --${name}${value === undefined ? '' : ` ${value}`}`;
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
