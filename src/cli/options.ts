import { durabilities, logFormats, logLevels, type Settings } from '../config/config.js';

export interface Option {
  readonly name: Exclude<keyof Settings, 'location'>;
  /** What stands for the value in the help; none: a switch. */
  readonly value?: string;
  readonly repeatable?: boolean;
  /** Lines of help. */
  readonly help: readonly string[];
}

/** The options of `serve`, once: the parser, the help and the README's copy of it come from here. */
export const serveOptions: readonly Option[] = [
  {
    name: 'listen',
    value: 'ADDR',
    repeatable: true,
    help: ['HTTP: host:port, [v6]:port, :port or unix:/path; repeatable', '(default localhost:9876)'],
  },
  {
    name: 'grpc-listen',
    value: 'ADDR',
    repeatable: true,
    help: ['gRPC: the same forms, or off; repeatable', '(default localhost:9877)'],
  },
  {
    name: 'allow-write',
    help: ['let callers add packfiles and states, and put and delete', 'locks; nothing is ever overwritten'],
  },
  { name: 'allow-delete', help: ['let callers delete packfiles and states, too', '(implies --allow-write)'] },
  { name: 'no-auth', help: ['allow the two above on addresses that others can reach,', 'though nobody has to log in'] },
  { name: 'no-http-v1.0', help: ["don't serve the HTTP API of plakar 1.0"] },
  {
    name: 'http-v1.0-limit',
    value: 'MIB',
    help: [
      'the largest JSON document of that API (default 40: its',
      'packfiles of 20 MiB and some are a third larger there)',
    ],
  },
  {
    name: 'durability',
    value: durabilities.join('|'),
    help: ['sync what is put to disk before it is acknowledged, or leave', 'that to the system (default fsync)'],
  },
  { name: 'drain-timeout', value: 'SECONDS', help: ['how long running requests may go on at a stop (default 30)'] },
  { name: 'log-level', value: logLevels.join('|'), help: ['(default info, with a line for each request)'] },
  { name: 'log-format', value: logFormats.join('|'), help: ['(default text on a terminal, json otherwise)'] },
  {
    name: 'ssh-identity',
    value: 'FILE',
    repeatable: true,
    help: ['a private key for sftp://, tried first; repeatable'],
  },
  { name: 'ssh-passphrase-file', value: 'FILE', help: ['its first line opens encrypted keys'] },
  { name: 'ssh-passphrase-env', value: 'NAME', help: ['the environment variable that does'] },
  { name: 'ssh-password-file', value: 'FILE', help: ['its first line is the password, tried last'] },
  {
    name: 'ssh-known-hosts',
    value: 'FILE',
    repeatable: true,
    help: ['known host keys, instead of ~/.ssh/known_hosts and the', "system's; repeatable"],
  },
  {
    name: 'ssh-config',
    value: 'FILE|none',
    help: ['the SSH configuration, instead of ~/.ssh/config and the', "system's"],
  },
  { name: 'insecure-ignore-host-key', help: ['talk to whoever answers in the place of the SSH server'] },
  { name: 'sample', help: ['serve a copy of the sample store that comes with the', 'program, for a first try'] },
];
