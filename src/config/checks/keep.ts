import { parseLocation } from '../../backends/backends.js';
import { formatDuration } from '../../lib/format-duration.js';
import { resolvePath } from '../../lib/paths.js';
import type { Path } from '../problems.js';
import type { WrittenMirror, WrittenVerification } from '../settings/keep.js';
import type { MirrorConfig, StoreConfig, VerificationConfig } from '../types.js';
import type { Context } from './context.js';
import { checkS3 } from './s3.js';

type MirroredStore = Pick<StoreConfig, 'location' | 'retentionMs' | 'asOfMs'>;

/**
 * Checks what is set for a store's second copy. Undefined if there is none, or it can't be used.
 *
 * @param path of the store's settings
 */
export function checkMirror(
  context: Context,
  above: Path,
  store: MirroredStore,
  written: WrittenMirror | undefined,
): MirrorConfig | undefined {
  if (written === undefined) return undefined;
  const path = [...above, 'mirror'];
  const problem = (message: string): void => context.problem(path, message, { atKey: true });
  const { to, from, every, lag, rate, s3: ownS3, 'token-file': tokenFile, 'read-fallback': readFallback } = written;
  if (store.asOfMs !== undefined) problem('a store that is served as of a moment never changes: remove this, or as-of');
  if (to !== undefined && from !== undefined) problem('a mirror is written or read: remove to, or from');
  const direction = from === undefined ? 'to' : 'from';
  const text = to ?? from;
  if (text === undefined) {
    // An invalid one is missing from what is checked here.
    if (!hasEnd(context, above)) problem('set to, where the second copy is, or from, where the first one is');
    return undefined;
  }
  const location = parseLocation(text, context.origins.surroundingsOf('stores'));
  if ('problem' in location) {
    context.problem([...path, direction], location.problem);
    return undefined;
  }
  if (JSON.stringify(location) === JSON.stringify(store.location)) {
    context.problem([...path, direction], 'this is the store itself: a second copy has to be elsewhere');
  }
  const isAtGateway = location.scheme === 'grpc' || location.scheme === 'grpcs';
  if (tokenFile !== undefined && !isAtGateway) {
    context.problem([...path, 'token-file'], 'tokens are for gateways: the other copy is at none');
  }
  if (lag <= every) {
    const message = `has to be longer than every, which is ${formatDuration(every)}: between two runs the second copy is not known to be complete`;
    context.problem([...path, 'lag'], message);
  }
  return {
    direction,
    location,
    everyMs: every,
    lagMs: lag,
    bytesPerSecond: rate,
    readFallback,
    tokenFile: tokenFile && resolvePath(tokenFile, context.origins.surroundingsOf('stores')),
    s3: checkS3(context, path, { location, retentionMs: store.retentionMs }, ownS3),
  };
}

/** Checks what is set for the passes that read every object of a store. */
export function checkVerification(
  context: Context,
  above: Path,
  { asOfMs }: MirroredStore,
  written: WrittenVerification | undefined,
): VerificationConfig | undefined {
  if (written === undefined) return undefined;
  if (asOfMs !== undefined) {
    context.problem([...above, 'verify'], 'only a store that is served as it is can be verified', { atKey: true });
  }
  const { every, rate, 'against-mirror': againstMirror } = written;
  return { everyMs: every, bytesPerSecond: rate, againstMirror };
}

/** Whether `to` or `from` was given, valid or not. */
function hasEnd({ given }: Context, [, name]: Path): boolean {
  const mirror = given.stores?.[String(name)]?.mirror;
  return mirror !== undefined && ('to' in mirror || 'from' in mirror);
}
