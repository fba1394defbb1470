import { number, times } from './report.js';
import { contestantOf, readResult } from './result.js';

/* Compares two results of the benchmark: npm run bench:compare A.json B.json */

const [before, after] = process.argv.slice(2);
if (before === undefined || after === undefined) {
  process.stderr.write('usage: npm run bench:compare A.json B.json\n');
  process.exit(2);
}
const [a, b] = [await readResult(before), await readResult(after)];

/** Beyond it, a difference is more than noise, on a machine that does nothing else. */
const noise = 0.1;

function marked(value: number | undefined, better: (value: number) => boolean): string {
  if (value === undefined || !Number.isFinite(value)) return '-';
  if (Math.abs(value - 1) <= noise) return times(value);
  return `${times(value)} ${better(value) ? 'better' : 'WORSE'}`;
}

const lines = [`A: ${a.date} ${a.versions['gateway'] ?? ''}`, `B: ${b.date} ${b.versions['gateway'] ?? ''}`, ''];
// Machines and hours differ; what both were measured beside, in the same run, takes most of that out.
lines.push('B / A: speed, the same relative to the opponent, CPU per operation, peak memory', '');
for (const { name, contestants } of b.cases) {
  const opponent = contestants.find((one) => !one.name.startsWith('gateway'))?.name ?? '';
  const drift =
    (contestantOf(b, name, opponent)?.opsPerSecond ?? NaN) / (contestantOf(a, name, opponent)?.opsPerSecond ?? NaN);
  for (const now of contestants.filter((one) => one.name.startsWith('gateway'))) {
    const then = contestantOf(a, name, now.name);
    if (then === undefined) continue;
    const speed = now.opsPerSecond / then.opsPerSecond;
    const cells = [
      `${name}, ${now.name}`.padEnd(36),
      marked(speed, (value) => value > 1).padStart(16),
      marked(speed / drift, (value) => value > 1).padStart(16),
      marked((now.cpuMicros ?? NaN) / (then.cpuMicros ?? NaN), (value) => value < 1).padStart(16),
      `${number(then.peakMiB)} -> ${number(now.peakMiB)} MiB`.padStart(20),
    ];
    lines.push(cells.join(''));
  }
}
process.stdout.write(`${lines.join('\n')}\n`);
