import type { ObjectRef } from '../core/object.js';
import { readHeader } from '../core/read-header.js';
import { formatVersion } from '../core/serialized-object.js';
import type { OpContext, PutResult, Store } from '../core/store.js';
import type { Logger } from '../lib/logger.js';
import { Layer } from './layer.js';

/**
 * A store decorator that warns, once, when clients of two generations of plakar put states into one store: the older ones can't list it
 * from then on.
 */
export class MixedGenerations extends Layer {
  /** Of the states that the store had before, or that were put since; undefined before the first put. */
  private version: string | undefined;
  private hasWarned = false;

  constructor(
    inner: Store,
    private readonly options: { readonly name: string; readonly log: Logger },
  ) {
    super(inner);
  }

  override async put(ref: ObjectRef, body: AsyncIterable<Uint8Array>, ctx: OpContext): Promise<PutResult> {
    const result = await this.inner.put(ref, body, ctx);
    // A warning is worth no failure: the object is stored.
    if (ref.kind === 'state' && !this.hasWarned) await this.compare(ref, ctx).catch(() => undefined);
    return result;
  }

  private async compare(ref: ObjectRef, ctx: OpContext): Promise<void> {
    const added = await this.versionOf(ref, ctx);
    this.version ??= await this.versionOfAnother(ref, ctx);
    const before = (this.version ??= added);
    if (added === before) return;
    this.hasWarned = true;
    const { name, log } = this.options;
    const versions = [before, added].sort();
    log.warn(
      { store: name, versions },
      `${name === '' ? 'the default store' : `store ${name}`} has states of plakar ${versions.join(' and ')}: clients of ` +
        `${versions[0]} can no longer list it. Let ${versions[1]} have a store of its own, or update all clients of this one`,
    );
  }

  /** The version of one of the states that the store had before. */
  private async versionOfAnother({ mac }: ObjectRef, ctx: OpContext): Promise<string | undefined> {
    for await (const macs of this.inner.list('state', ctx)) {
      for (const other of macs) if (other !== mac) return this.versionOf({ kind: 'state', mac: other }, ctx);
    }
    return undefined;
  }

  private async versionOf(ref: ObjectRef, ctx: OpContext): Promise<string> {
    return formatVersion((await readHeader(this.inner, ref, ctx)).header);
  }
}
