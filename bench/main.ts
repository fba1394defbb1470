import { join } from 'node:path';
import { Bench, root } from './bench.js';
import { suites } from './cases/index.js';
import type { Spec } from './case.js';
import { describeMachine } from './machine.js';
import { readOptions, usage, type Options } from './options.js';
import { goals } from './goals.js';
import { caseLines, goalLines, headLines } from './report.js';
import { summarize, writeResult, type CaseResult, type Result } from './result.js';
import { runCase } from './rounds.js';
import { takingPart } from './taking-part.js';

/* The benchmark: bench/README.md tells how to run it. */

const options = readOptions(process.argv.slice(2));
if (options === undefined) process.stdout.write(usage);
else await main(options);

async function main(options: Options): Promise<void> {
  const started = new Date();
  say(['building what takes part']);
  const bench = await Bench.open(options);
  process.once('SIGINT', () => {
    // The servers are in this process's group: a Ctrl+C has reached them, too.
    bench.removeFiles();
    process.exit(130);
  });
  try {
    const head = describe(bench, started);
    say(headLines(head));
    const cases = await runAll(bench);
    const result = { ...head, cases };
    say(goalLines(result));
    const path = options.out ?? join(root, 'bench/results', `${stamp(started)}-${head.mode}.json`);
    await writeResult(path, result);
    say(['', `written to ${path}, after ${Math.round((Date.now() - started.getTime()) / 1000)} s`]);
  } finally {
    await bench.close();
  }
}

function describe({ options, folder, programs }: Bench, started: Date): Result {
  const args = [...options.nodeArgs, ...options.gatewayArgs].join(' ');
  return {
    date: started.toISOString(),
    mode: options.short ? 'short' : options.goals ? 'goals' : 'full',
    seconds: options.seconds,
    rounds: options.rounds,
    machine: describeMachine(folder),
    ...takingPart(programs, options),
    ...(args === '' ? {} : { gatewayArgs: args }),
    cases: [],
  };
}

async function runAll(bench: Bench): Promise<CaseResult[]> {
  const { rounds } = bench.options;
  const wanted = (spec: Spec): boolean => isWanted(spec, bench.options);
  const results: CaseResult[] = [];
  for (const { specs, cases } of suites) {
    if (!specs.some(wanted)) continue;
    for await (const one of cases(bench, wanted)) {
      const result = summarize(await runCase(one, rounds));
      say(caseLines(result));
      results.push(result);
    }
  }
  return results;
}

function isWanted({ name, short: inShort }: Spec, { only, short, goals: onlyGoals }: Options): boolean {
  if (only.length > 0) return only.some((part) => name.includes(part));
  if (onlyGoals) return goals.some((goal) => goal.case === name);
  return inShort || !short;
}

function stamp(date: Date): string {
  return date.toISOString().slice(0, 16).replace('T', '-').replace(':', '');
}

function say(lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}
