import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';

/** What the command line says. */
export interface Options {
  /** About two minutes: what the goals are about, briefly. */
  readonly short: boolean;
  /** Only the cases that something has to be reached in. */
  readonly goals: boolean;
  /** Cases whose name has one of these in it; all where empty. */
  readonly only: readonly string[];
  /** How long a run of a case that counts time goes on, in seconds. */
  readonly seconds: number;
  /** How many rounds count; one more comes before them. */
  readonly rounds: number;
  /** Where stores are made. */
  readonly dir: string;
  /** plakar's program. */
  readonly plakar: string;
  /** plakar's SFTP integration, as `plakar pkg create` makes it. */
  readonly plakarSftp: string | undefined;
  /** More options for the gateway, and for Node. */
  readonly gatewayArgs: readonly string[];
  readonly nodeArgs: readonly string[];
  /** Where the result is written; in bench/results/ where not given. */
  readonly out: string | undefined;
}

export const usage = `npm run bench -- [options]

  --short             some two minutes: what the goals are about, and smaller
  --goals             some forty minutes: only the cases that something has to be reached in
  --only NAME         only cases with NAME in their name; repeatable
  --seconds N         how long a run takes (default 3, short 0.3)
  --rounds N          rounds that count (default 5, short 2)
  --dir DIR           where stores are made, on a disk (default the system's temporary folder)
  --plakar PATH       plakar's program (default the one on PATH)
  --plakar-sftp FILE  its SFTP integration, a .ptar file
  --gateway-args=ARGS more options for the gateway, in one string
  --node-args=ARGS    options for its Node, in one string
  --out FILE          where the result goes (default bench/results/)
`;

/** Reads the command line. Undefined where help is wanted. */
export function readOptions(argv: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      help: { type: 'boolean' },
      short: { type: 'boolean', default: false },
      goals: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      seconds: { type: 'string' },
      rounds: { type: 'string' },
      dir: { type: 'string', default: tmpdir() },
      plakar: { type: 'string', default: 'plakar' },
      'plakar-sftp': { type: 'string' },
      'gateway-args': { type: 'string', default: '' },
      'node-args': { type: 'string', default: '' },
      out: { type: 'string' },
    },
  });
  if (values.help) return undefined;
  const { short, goals, only, dir, plakar, out } = values;
  return {
    short,
    goals,
    only,
    seconds: Number(values.seconds ?? (short ? 0.3 : 3)),
    rounds: Number(values.rounds ?? (short ? 2 : 5)),
    dir,
    plakar,
    plakarSftp: values['plakar-sftp'],
    gatewayArgs: words(values['gateway-args']),
    nodeArgs: words(values['node-args']),
    out,
  };
}

function words(text: string): string[] {
  return text.split(' ').filter((word) => word !== '');
}
