import { hasCode } from '../../src/core/errors.js';
import type { ObjectRef } from '../../src/core/object.js';
import type { OpContext } from '../../src/core/store.js';
import { Layer } from '../../src/layers/layer.js';
import { eventually } from './store.js';

/** Tries a delete again for as long as the store's retention refuses it, which is to be a short one. */
export class PatientStore extends Layer {
  override async delete(ref: ObjectRef, ctx: OpContext): Promise<void> {
    const isDeleted = async (): Promise<boolean> => {
      try {
        await this.inner.delete(ref, ctx);
        return true;
      } catch (error) {
        if (hasCode(error, 'permission_denied')) return false;
        throw error;
      }
    };
    await eventually(isDeleted, 'the retention is over');
  }
}
