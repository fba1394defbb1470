import type { Host } from '../../backends/files/sweep.js';
import type { DigestStorage } from '../../core/digests.js';
import type { Store } from '../../core/store.js';
import { DeleteRecorder } from '../../integrity/delete-recorder.js';
import { DigestWriter } from '../../integrity/digest-writer.js';
import { Digested } from '../../layers/digested.js';
import type { Logger } from '../../lib/logger.js';

export interface DigestedStoreOptions {
  /** Whether the digests of what is put are recorded. */
  readonly puts: boolean;
  /** The store's name in the log. */
  readonly name: string;
  /** The gateway's name among its replicas. */
  readonly instance: string;
  readonly host: Pick<Host, 'name'>;
  readonly log: Logger;
}

/** A store whose digests are recorded; or only what is deleted, if that is of use to digests that others record. */
export function digestedStore(inner: Store, storage: DigestStorage, options: DigestedStoreOptions): Digested {
  const { puts, name, instance, host, log } = options;
  const writer = new DigestWriter(storage, { instance, host: host.name, log });
  const recorder = puts ? writer : new DeleteRecorder(storage, writer);
  return new Digested(inner, { puts, recorder, name, log });
}
