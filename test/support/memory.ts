import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes that this process uses, without garbage that isn't collected yet. */
export function memoryInUse(): number {
  collectGarbage();
  // Buffers that it freed are swept in the background, and are counted until then. The next one waits for that.
  collectGarbage();
  const { external, heapUsed } = process.memoryUsage();
  return external + heapUsed;
}
