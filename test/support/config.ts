import { makeConfig, type Config, type Settings } from '../../src/config/config.js';

export const surroundings = { home: '/home/op', cwd: '/srv' };

/** A hash of a token as settings have it, of one hex digit 64 times. */
export const hash = (digit: string): string => `sha256:${digit.repeat(64)}`;

/** What a principal's configuration has beyond its login and access. */
export const notWatched = { admin: false, expectBackupMs: new Map<string, number>(), pings: new Map<string, string>() };

/** The configuration that settings make, which have to be right. */
export function configOf(settings: Settings): Config {
  const made = makeConfig(settings, surroundings);
  if ('problems' in made) throw new Error(made.problems.join('; '));
  return made.config;
}

/** What is wrong with settings, of whatever types. */
export function problemsOf(settings: object): string[] {
  const made = makeConfig(settings, surroundings);
  return 'problems' in made ? made.problems : [];
}
