import type { OpenedStore, OpenOptions } from '../../backends/backend.js';
import { formatLocation, openStore } from '../../backends/backends.js';
import type { MirrorConfig, StoreConfig } from '../../config/types.js';
import { hasCode } from '../../core/errors.js';
import { readFirstLine } from '../../lib/read-text.js';
import type { Logger } from '../../lib/logger.js';
import { OptionalStore } from './optional-store.js';

/** The other copy of a store. */
export interface Mirror {
  /** Operations fail with `unavailable` while it can't be reached. */
  readonly store: OpenedStore;
  /** For messages to the operator. */
  readonly location: string;
  /** Whether it is written, or read. */
  readonly direction: MirrorConfig['direction'];
  /** Resolves once it was tried for the first time to open it. */
  readonly attempted: Promise<void>;
  /** Why it can't be opened, for the operator; undefined if it is open, or not tried yet. */
  readonly problem: () => string | undefined;
  /** Opens it anew, for instance with the token that its file has now. Never rejects. */
  readonly reopen: () => Promise<void>;
}

/**
 * Begins to open a store's mirror, which neither the start of a gateway nor requests wait for. Resolves to undefined if it has none. What opens
 * it closes `store`.
 *
 * @param options what the store itself is opened with
 */
export async function openMirror(
  { mirror: config }: Pick<StoreConfig, 'mirror'>,
  options: OpenOptions,
  log: Logger,
): Promise<Mirror | undefined> {
  if (config === undefined) return undefined;
  const { location, direction, tokenFile, s3 } = config;
  const { durable, maxObjectBytes, user } = options;
  const writable = direction === 'to';
  const others = { s3, writable, trashes: false, digests: false, ownCopy: true };
  const where = formatLocation(location);
  const open = async () => {
    // Each time, so that it can be replaced.
    const token = tokenFile === undefined ? {} : { KLOSET_GATEWAY_TOKEN: await readFirstLine('the token', tokenFile) };
    try {
      const asUser = { ...user, env: { ...user.env, ...token } };
      return await openStore(location, { ...options, ...others, user: asUser }, log);
    } catch (error) {
      const isMissing = writable && error instanceof Error && hasCode(error.cause, 'not_found');
      if (!isMissing) throw error;
      throw new Error(`there is no store at ${where} yet: make it with \`kloset-gateway copy --create\``, {
        cause: error,
      });
    }
  };
  const info = { access: 'full', durable, maxObjectBytes, retentionMs: 0, trashMs: 0 } as const;
  const store = await OptionalStore.open({ open, info, log, role: 'a mirror', waitMs: 0 });
  return {
    store,
    location: where,
    direction,
    attempted: store.attempted,
    problem: () => store.problem,
    reopen: () => store.reopen(),
  };
}
