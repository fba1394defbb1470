import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generatedFiles } from './cli-docs.js';

/* Writes the man pages and completion scripts, which are generated from the definitions of the commands and settings: `npm run generate:cli`. */

const root = fileURLToPath(new URL('..', import.meta.url));
for (const folder of ['man', 'completions']) await rm(join(root, 'share', folder), { recursive: true, force: true });
for (const [path, text] of Object.entries(await generatedFiles(root))) {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}
