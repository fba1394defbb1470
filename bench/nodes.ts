import { execFileSync } from 'node:child_process';

/** A Node to run the gateway with. */
export interface NodeProgram {
  /** The major version, which names the gateway's lines in the tables. */
  readonly major: string;
  /** As `node --version` prints it. */
  readonly version: string;
  readonly path: string;
}

/**
 * Reads the value of `--nodes`: paths with commas between them, each optionally after the major version and an equals sign. Without a
 * value it is the Node that runs the benchmark. Throws where a program isn't there or isn't the version that it is said to be.
 */
export function parseNodes(value: string | undefined): NodeProgram[] {
  const nodes = (value ?? process.execPath).split(',').map(parseNode);
  const majors = new Set(nodes.map(({ major }) => major));
  if (majors.size < nodes.length) throw new Error('--nodes: two programs have the same major version');
  return nodes;
}

function parseNode(text: string): NodeProgram {
  const [, expected, path = ''] = /^(?:(\d+)=)?(.+)$/.exec(text) ?? [];
  const version = execFileSync(path, ['--version'], { encoding: 'utf8' }).trim();
  const major = /^v(\d+)\./.exec(version)?.[1];
  if (major === undefined) throw new Error(`--nodes: ${path} is no Node: its version is ${version}`);
  if (expected !== undefined && expected !== major) throw new Error(`--nodes: ${path} is Node ${version}`);
  return { major, version, path };
}

/**
 * The name of a gateway in results.
 * @param variant what distinguishes it from the case's other gateways
 */
export function gatewayName({ major }: Pick<NodeProgram, 'major'>, variant?: string): string {
  return `gateway${variant === undefined ? '' : `, ${variant}`} (Node ${major})`;
}

export function isGateway(name: string): boolean {
  return name.startsWith('gateway');
}

export function isGatewayOn(name: string, major: string): boolean {
  return isGateway(name) && name.endsWith(`(Node ${major})`);
}
