import { markdownLines } from './report.js';
import { readResult } from './result.js';

/* Prints the table in results/README.md from a result: node --import tsx bench/table.ts bench/results/X.json */

const [path] = process.argv.slice(2);
if (path === undefined) {
  process.stderr.write('usage: node --import tsx bench/table.ts RESULT.json\n');
  process.exit(2);
}
process.stdout.write(`${markdownLines(await readResult(path)).join('\n')}\n`);
