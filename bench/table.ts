import { judge, judgeMemory } from './goals.js';
import { number, times } from './report.js';
import { readResult } from './result.js';

/* Makes the README's table of a result: node --import tsx bench/table.ts bench/results/X.json */

const [path] = process.argv.slice(2);
if (path === undefined) {
  process.stderr.write('usage: node --import tsx bench/table.ts RESULT.json\n');
  process.exit(2);
}
const result = await readResult(path);
const { machine, versions } = result;
const taking = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
const lines = [
  `Measured on ${result.date.slice(0, 10)} (${machine.cores} cores shared with the load, ${machine.model}, Linux ${machine.kernel}, ` +
    `Node ${machine.node}; ${taking.join(', ')}): medians of ${result.rounds} rounds, in turns.`,
  '',
  '| | against | speed | CPU per operation | peak memory, MiB |',
  '|---|---|---|---|---|',
  ...judge(result).map(
    ({ goal, speed, cpu, peakMiB, againstPeakMiB }) =>
      `| ${goal.what} | ${goal.against} | ${times(speed)} | ${times(cpu)} | ${number(peakMiB)} / ${number(againstPeakMiB)} |`,
  ),
  '',
  ...judgeMemory(result).map(({ what, peakMiB, worst }) => `Highest ${what}: ${number(peakMiB)} MiB (${worst}).`),
];
process.stdout.write(`${lines.join('\n')}\n`);
