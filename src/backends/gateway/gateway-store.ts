import { GatewayClient, type ClientOptions, type StoreDescription } from '../../client/client.js';
import type { Download } from '../../client/download.js';
import { lower } from '../../core/access.js';
import { StoreError } from '../../core/errors.js';
import { MacBatch } from '../../core/mac-batch.js';
import { formatMoment } from '../../core/moment.js';
import type { ObjectKind, ObjectRef } from '../../core/object.js';
import type { ByteRange } from '../../core/range.js';
import { verifiedObject } from '../../core/serialized-object.js';
import { parseStoreAddress } from '../../core/store-name.js';
import type { ObjectRead, ObjectStat, OpContext, PutResult, Store, StoreInfo } from '../../core/store.js';

/** A store of another gateway. Errors of that gateway are passed on with their code and message. */
export class GatewayStore implements Store {
  private constructor(
    private readonly client: GatewayClient,
    private description: StoreDescription,
    private readonly options: ClientOptions,
  ) {}

  /** Connects and asks for the store's description. Fails where there is no answer. */
  static async open(options: ClientOptions): Promise<GatewayStore> {
    const client = new GatewayClient(options);
    try {
      return new GatewayStore(client, await client.describe(), options);
    } catch (error) {
      client.close();
      throw error;
    }
  }

  info(): StoreInfo {
    const { access, maxObjectBytes, durable, retentionMs, trashMs } = this.description;
    return { access, maxObjectBytes, durable, retentionMs, trashMs };
  }

  async config({ signal }: OpContext): Promise<Uint8Array> {
    // plakar's clients read CONFIG first: a good moment to learn of a changed access level.
    this.description = await this.client.describe({ signal });
    return this.description.config;
  }

  async *list(kind: ObjectKind, { signal }: OpContext): AsyncGenerator<MacBatch, void, undefined> {
    for await (const macs of this.client.list(kind, { signal })) yield MacBatch.of(macs);
  }

  stat(ref: ObjectRef, { signal }: OpContext): Promise<ObjectStat> {
    return this.client.stat(ref, { signal });
  }

  async get(ref: ObjectRef, range: ByteRange | undefined, { signal }: OpContext): Promise<ObjectRead> {
    const download = await this.client.get(ref, range, { signal });
    const { objectSize, length, chunks } = download;
    const release = (): void => void chunks.return().catch(() => undefined);
    return { objectSize, length, data: await dataOf(download), release };
  }

  /** Verifies the object here, too, so that a malformed one doesn't cross the network, and fails with a code that gRPC lacks. */
  put(ref: ObjectRef, body: AsyncIterable<Uint8Array>, { signal }: OpContext): Promise<PutResult> {
    return this.client.put(ref, verifiedObject(ref, body, this.description.maxObjectBytes), { signal });
  }

  delete(ref: ObjectRef, { signal }: OpContext): Promise<void> {
    return this.client.delete(ref, { signal });
  }

  /** The store as of a moment, from that gateway: over the same connection, and closed with it. Throws where it is such a view already. */
  asOf(momentMs: number): Store {
    const { name, moment } = parseStoreAddress(this.options.store ?? '');
    if (moment !== undefined) {
      throw new StoreError(
        'invalid_argument',
        'this store is served as of a moment already: leave out the @ and what follows it',
      );
    }
    const options = { ...this.options, store: `${name}@${formatMoment(momentMs)}` };
    const access = lower(this.description.access, 'read-only');
    return new GatewayStore(new GatewayClient(options, this.client), { ...this.description, access }, options);
  }

  async close(): Promise<void> {
    this.client.close();
  }
}

/** An answer of one message as one buffer; a longer one as chunks. */
async function dataOf({ chunks, length }: Download): Promise<ObjectRead['data']> {
  const first = await chunks.next();
  if (first.done === true) return new Uint8Array();
  if (first.value.length < length) return following(first.value, chunks);
  // Waits for the call's status, which releases the call.
  await chunks.next();
  return first.value;
}

async function* following(
  first: Uint8Array,
  rest: AsyncGenerator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield first;
  yield* rest;
}
