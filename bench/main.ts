import { join } from 'node:path';
import { Bench, root } from './bench.js';
import { suites } from './cases/index.js';
import type { Spec } from './case.js';
import { goals, hasNeed } from './goals.js';
import { describeMachine } from './machine.js';
import { readOptions, usage, type Options } from './options.js';
import { caseLines, goalLines, headLines } from './report.js';
import { summarize, writeResult, type CaseResult, type Result } from './result.js';
import { runCase } from './rounds.js';
import { describeParts } from './versions.js';

/* The benchmark: see bench/README.md. */

const options = readOptions(process.argv.slice(2));
if (options === undefined) process.stdout.write(usage);
else if (options.list) say(wantedNames(options));
else await main(options);

async function main(options: Options): Promise<void> {
  const started = new Date();
  say(['building the programs']);
  const bench = await Bench.open(options);
  process.once('SIGINT', () => {
    // Ctrl+C reaches the servers, too: they are in the same process group.
    bench.removeFiles();
    process.exit(130);
  });
  try {
    const head = describe(bench, started);
    say(headLines(head));
    const path = options.out ?? join(root, 'bench/results', `${stamp(started)}-${head.mode}.json`);
    const cases: CaseResult[] = [];
    for await (const one of runAll(bench)) {
      say(caseLines(one));
      cases.push(one);
      // Written after each case, so that an interrupted run keeps its results.
      await writeResult(path, { ...head, cases });
    }
    say(goalLines({ ...head, cases }));
    say(['', `written to ${path} after ${Math.round((Date.now() - started.getTime()) / 1000)} s; removing the stores`]);
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
    nodes: options.nodes.map(({ major, version }) => ({ major, version })),
    ...describeParts(programs, options),
    ...(args === '' ? {} : { gatewayArgs: args }),
    cases: [],
  };
}

/** Where a suite fails, its remaining cases are skipped, and the exit code is 1. */
async function* runAll(bench: Bench): AsyncGenerator<CaseResult> {
  const { options } = bench;
  const wanted = (spec: Spec): boolean => isWanted(spec, options);
  for (const { specs, cases } of suites) {
    if (!specs.some(wanted)) continue;
    try {
      for await (const one of cases(bench, wanted)) yield summarize(await runCase(one, options.rounds));
    } catch (error) {
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      process.exitCode = 1;
      await bench.stopServers();
    }
  }
}

function wantedNames(options: Options): string[] {
  return suites.flatMap(({ specs }) => specs.filter((spec) => isWanted(spec, options)).map(({ name }) => name));
}

function isWanted({ name }: Spec, { only, short, goals: onlyGoals }: Options): boolean {
  if (only.length > 0) return only.some((pattern) => pattern.test(name));
  if (short) return goals.some((goal) => goal.case === name && hasNeed(goal));
  return !onlyGoals || goals.some((goal) => goal.case === name);
}

function stamp(date: Date): string {
  return date.toISOString().slice(0, 16).replace('T', '-').replace(':', '');
}

function say(lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}
