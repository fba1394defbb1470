import { serveOptions } from './options.js';

const column = 28;

/** The whole help, as `--help` prints it. */
export function helpText(): string {
  return `kloset-gateway puts a plakar Kloset store on the network, over HTTP and gRPC. Callers may read;
anything more has to be allowed.

Usage:
  kloset-gateway serve [LOCATION] [options]
  kloset-gateway plugin         (plakar starts it, see the README)
  kloset-gateway --help | --version

LOCATION is a folder's path, fs:///path, sftp://[user@]host[:port]/path or, for another gateway's store,
grpc://host[:port][/store] or grpcs://host[:port][/store] (default ~/.plakar).

Options:
${serveOptions.map(optionHelp).join('\n')}

plakar's spelling of options works too: -listen :9876, -allow-delete.

Examples:
  kloset-gateway serve --sample
      a store to try things on; then: curl localhost:9876/resources/states
  kloset-gateway serve /var/backups
      read-only, for this machine
  kloset-gateway serve /var/backups --allow-write
      backups may be added and nothing destroyed: plakar at http://localhost:9876 backup /etc
  kloset-gateway serve /var/backups --listen :9876 --grpc-listen off
      read-only, over HTTP alone, for whoever reaches this machine
  kloset-gateway serve /var/backups --listen unix:/run/kloset/admin.sock --grpc-listen off --allow-delete
      maintenance through a unix socket
  kloset-gateway serve sftp://backup@nas.example.org/srv/kloset --allow-write
      a store on an SSH server, with your keys, known_hosts and ~/.ssh/config
`;
}

function optionHelp({ name, value, help }: (typeof serveOptions)[number]): string {
  const label = `  --${name}${value === undefined ? '' : ` ${value}`}`;
  const [first = '', ...rest] = help;
  const indent = ' '.repeat(column);
  const start = label.length < column - 1 ? [label.padEnd(column) + first] : [label, indent + first];
  return [...start, ...rest.map((line) => indent + line)].join('\n');
}
