import { isGateway } from './nodes.js';
import { number, opponentOf, times } from './report.js';
import { contestantOf, readResult } from './result.js';

/* Compares two results of the benchmark: npm run bench:compare A.json B.json */

const [before, after] = process.argv.slice(2);
if (before === undefined || after === undefined) {
  process.stderr.write('usage: npm run bench:compare A.json B.json\n');
  process.exit(2);
}
const [a, b] = [await readResult(before), await readResult(after)];

/** Larger differences are unlikely to be noise, on a machine that does nothing else. */
const noise = 0.1;

function marked(value: number | undefined, better: (value: number) => boolean): string {
  if (value === undefined || !Number.isFinite(value)) return '-';
  if (Math.abs(value - 1) <= noise) return times(value);
  return `${times(value)} ${better(value) ? 'better' : 'WORSE'}`;
}

const lines = [`A: ${a.date} ${a.versions['gateway'] ?? ''}`, `B: ${b.date} ${b.versions['gateway'] ?? ''}`, ''];
// Ratios to an opponent of the same run are less affected by the machine and the hour.
lines.push('B / A: speed, speed relative to the opponent, CPU per operation, peak memory', '');
for (const { name, contestants } of b.cases) {
  const opponent = opponentOf(contestants);
  const drift = (opponent?.opsPerSecond ?? NaN) / (contestantOf(a, name, opponent?.name ?? '')?.opsPerSecond ?? NaN);
  for (const now of contestants.filter((one) => isGateway(one.name))) {
    const then = contestantOf(a, name, now.name);
    if (then === undefined) continue;
    const speed = now.opsPerSecond / then.opsPerSecond;
    const cells = [
      `${name}, ${now.name}`.padEnd(48),
      marked(speed, (value) => value > 1).padStart(16),
      marked(speed / drift, (value) => value > 1).padStart(16),
      marked((now.cpuMicros ?? NaN) / (then.cpuMicros ?? NaN), (value) => value < 1).padStart(16),
      `${number(then.peakMiB)} -> ${number(now.peakMiB)} MiB`.padStart(20),
    ];
    lines.push(cells.join(''));
  }
}
process.stdout.write(`${lines.join('\n')}\n`);
