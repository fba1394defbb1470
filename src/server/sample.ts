import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageFolder } from '../lib/package-info.js';

export interface Sample {
  /** The copy's absolute path. */
  readonly path: string;
  remove(): Promise<void>;
}

/** Copies the sample store that ships with the package into a new temporary folder. */
export async function copySample(): Promise<Sample> {
  const folder = await mkdtemp(join(tmpdir(), 'kloset-gateway-sample-'));
  const path = join(folder, 'store');
  await cp(join(packageFolder, 'sample', 'store'), path, { recursive: true });
  return { path, remove: () => rm(folder, { recursive: true, force: true }) };
}
