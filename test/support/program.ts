import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const built = join(root, 'dist/src/main.js');
const buildInfo = join(root, 'dist/build.tsbuildinfo');

/** When the newest file of a folder was changed. */
function newest(folder: string): number {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  return Math.max(...entries.map(({ parentPath, name }) => statSync(join(parentPath, name)).mtimeMs));
}

/** The program as `npm run build` has made it; undefined if that is older than its sources. */
export const builtProgram =
  existsSync(built) && existsSync(buildInfo) && statSync(buildInfo).mtimeMs > Math.max(newest('src'), newest('gen'))
    ? built
    : undefined;

/** Node's arguments that run the program: as it was built, or from its sources, which takes longer to start. */
export const program: readonly string[] =
  builtProgram === undefined
    ? ['--import', join(root, 'node_modules/tsx/dist/loader.mjs'), join(root, 'src/main.ts')]
    : [builtProgram];
