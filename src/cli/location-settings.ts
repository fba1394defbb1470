import { parseLocation, type Location } from '../backends/backends.js';
import type { Config, StoreConfig } from '../config/types.js';
import type { Surroundings } from '../lib/paths.js';

/** What opening the store at a location takes, beside what is the same for all stores. */
export interface LocationSettings extends Pick<StoreConfig, 's3' | 'retentionMs'> {
  /** A file whose first line is the token for the gateway that has the store; undefined: the one in the environment. */
  readonly tokenFile?: string | undefined;
}

/** A location, and what opening the store there takes. */
export interface Place {
  readonly location: Location;
  readonly settings: LocationSettings;
}

/**
 * The place that a location on the command line names, with the settings that a configuration file has for it as that of a store or of a mirror.
 * Undefined where the settings for all stores have to tell, or the location is not valid.
 */
export function placeIn({ stores }: Config, written: string, surroundings: Surroundings): Place | undefined {
  const location = parseLocation(written, surroundings);
  if ('problem' in location) return undefined;
  const isHere = (other: unknown): boolean => JSON.stringify(other) === JSON.stringify(location);
  const all = [...stores.values()];
  const store = all.find((each) => isHere(each.location));
  if (store !== undefined) return { location, settings: store };
  const mirrored = all.find(({ mirror }) => isHere(mirror?.location));
  if (mirrored?.mirror !== undefined) {
    const { s3, tokenFile } = mirrored.mirror;
    return { location, settings: { s3, tokenFile, retentionMs: mirrored.retentionMs } };
  }
  return location.scheme === 's3' ? undefined : { location, settings: { s3: undefined, retentionMs: 0 } };
}
