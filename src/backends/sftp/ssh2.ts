import { createRequire } from 'node:module';
import type * as Ssh2 from 'ssh2';

const require = createRequire(import.meta.url);

/** The ssh2 library, loaded by the first call: most gateways have no store that needs it. It is a CommonJS module. */
export function ssh2(): typeof Ssh2 {
  return require('ssh2') as typeof Ssh2;
}
