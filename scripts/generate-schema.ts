import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generatedFiles } from './config-reference.js';

/* Writes the files that are generated from the definitions of the settings: `npm run generate:schema`. */

const root = fileURLToPath(new URL('..', import.meta.url));
for (const [path, text] of Object.entries(await generatedFiles(root))) await writeFile(join(root, path), text);
