import type { Config } from '../../config/types.js';

const maxDefault = 8;

/**
 * How many processes serve a configuration: by default one for two cores, as on two a second one was no faster, and cost more.
 * A quota is counted by one process, so where a store has one, that is all.
 *
 * @param cores how many the machine lets the program use
 */
export function workersFor(config: Pick<Config, 'workers' | 'stores'>, cores: number): number {
  if (hasQuota(config)) return 1;
  return config.workers ?? Math.min(Math.max(Math.floor(cores / 2), 1), maxDefault);
}

/** Whether a store has a quota. */
export function hasQuota({ stores }: Pick<Config, 'stores'>): boolean {
  return [...stores.values()].some(({ quotaBytes }) => quotaBytes !== undefined);
}
