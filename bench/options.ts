import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { parseNodes, type NodeProgram } from './nodes.js';

/** The command line's options. */
export interface Options {
  /** Print the names of the cases that would run, and run none. */
  readonly list: boolean;
  /** Run the cases that have a goal, with less data and shorter runs. */
  readonly short: boolean;
  /** Run the cases of the table in results/README.md only. */
  readonly goals: boolean;
  /** Run the cases whose name matches one of these, whatever the two above select; none: no restriction. */
  readonly only: readonly RegExp[];
  /** How long a timed run takes. */
  readonly seconds: number;
  /** How many rounds are counted; a warm-up round comes before them. */
  readonly rounds: number;
  /** Where stores are made. */
  readonly dir: string;
  /** What the gateway runs with: it is measured with each. */
  readonly nodes: readonly NodeProgram[];
  /** plakar's program; undefined: the benchmark builds it. */
  readonly plakar: string | undefined;
  /** plakar's SFTP integration, as `plakar pkg create` makes it. */
  readonly plakarSftp: string | undefined;
  /** More options for the gateway and for its Node. */
  readonly gatewayArgs: readonly string[];
  readonly nodeArgs: readonly string[];
  /** Where the result is written; undefined: a new file in bench/results/. */
  readonly out: string | undefined;
}

export const usage = `npm run bench -- [options]

  --short             the cases that have a goal, with less data and shorter runs: a few minutes, inexact
  --goals             the cases of the table in results/README.md: roughly an hour
  --only PATTERN      the cases whose name matches this regular expression; repeatable
  --list              print the names of the cases, and run none
  --nodes LIST        what the gateway runs with, as in 20=/path/to/node,24=/path/to/node (default this Node)
  --seconds N         how long a timed run takes (default 3, short 0.3)
  --rounds N          how many rounds are counted (default 5, short 2)
  --dir DIR           where stores are made, on a disk (default the system's temporary folder)
  --plakar PATH       plakar's program (default: built from bench/plakar)
  --plakar-sftp FILE  its SFTP integration, a .ptar file
  --gateway-args=ARGS more options for the gateway, in one string
  --node-args=ARGS    options for its Node, in one string; they replace those of bin/kloset-gateway
  --out FILE          where the result is written (default a new file in bench/results/)
`;

/** Reads the command line. Undefined: help is wanted. */
export function readOptions(argv: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      help: { type: 'boolean' },
      list: { type: 'boolean', default: false },
      short: { type: 'boolean', default: false },
      goals: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      nodes: { type: 'string' },
      seconds: { type: 'string' },
      rounds: { type: 'string' },
      dir: { type: 'string', default: tmpdir() },
      plakar: { type: 'string' },
      'plakar-sftp': { type: 'string' },
      'gateway-args': { type: 'string', default: '' },
      'node-args': { type: 'string', default: '' },
      out: { type: 'string' },
    },
  });
  if (values.help) return undefined;
  const { list, short, goals, only, dir, plakar, out } = values;
  return {
    list,
    short,
    goals,
    only: only.map((pattern) => new RegExp(pattern)),
    seconds: Number(values.seconds ?? (short ? 0.3 : 3)),
    rounds: Number(values.rounds ?? (short ? 2 : 5)),
    dir,
    nodes: parseNodes(values.nodes),
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
