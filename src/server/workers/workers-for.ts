import type { Config } from '../../config/types.js';

const maxDefault = 8;

/**
 * How many processes serve a configuration: by default one for every two cores, because on two cores a second process was no faster and
 * used more memory. A configuration with a quota is served by one process, because a quota is counted in one process.
 *
 * @param cores how many cores the process may use
 */
export function workersFor(config: Pick<Config, 'workers' | 'stores'>, cores: number): number {
  if (hasQuota(config)) return 1;
  return config.workers ?? Math.min(Math.max(Math.floor(cores / 2), 1), maxDefault);
}

/** Whether a store has a quota. */
export function hasQuota({ stores }: Pick<Config, 'stores'>): boolean {
  return [...stores.values()].some(({ quotaBytes }) => quotaBytes !== undefined);
}

/** A configuration with one worker's share of the limit of connections, rounded up. */
export function shareOf(config: Config, workers: number): Config {
  const { limits } = config;
  return { ...config, limits: { ...limits, maxConnections: Math.ceil(limits.maxConnections / workers) } };
}
