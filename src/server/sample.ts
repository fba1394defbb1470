import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyPackageFolder } from '../lib/package-info.js';

export interface Sample {
  /** The copy's absolute path. */
  readonly path: string;
  remove(): Promise<void>;
}

/** Copies the sample store that ships with the package into a new temporary folder. */
export async function copySample(): Promise<Sample> {
  const folder = await mkdtemp(join(tmpdir(), 'kloset-gateway-sample-'));
  const path = join(folder, 'store');
  await copyPackageFolder('sample/store', path);
  return { path, remove: () => rm(folder, { recursive: true, force: true }) };
}
