import { expect } from 'chai';
import { readdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectKind, ObjectRef } from '../../../src/core/object.js';
import type { Store } from '../../../src/core/store.js';
import { makeObject, newRef } from '../../support/objects.js';
import { ctx, getAll, listAll, putAll } from '../../support/store.js';
import { fixtureStore } from '../../support/temp.js';

/** Something that a caller may try with objects of a kind. */
export interface Operation {
  readonly name: string;
  /** Does it; fails where it is refused, or where its answer is wrong. */
  readonly run: (store: Store, subject: Subject) => Promise<void>;
  /** The bytes that the object has on disk when it was allowed; undefined for none. */
  readonly leaves: (subject: Subject) => { readonly ref: ObjectRef; readonly bytes: Buffer | undefined };
}

/** What an operation is tried on: an object that is there, and one that isn't. */
export interface Subject {
  readonly kind: ObjectKind;
  readonly present: ObjectRef;
  readonly bytes: Buffer;
  readonly other: Buffer;
  readonly absent: ObjectRef;
}

/** Nothing has changed. */
export const asItWas: Operation['leaves'] = ({ present: ref, bytes }) => ({ ref, bytes });

export const operations = [
  {
    name: 'config',
    run: async (store) => void expect((await store.config(ctx)).length).to.be.above(48),
    leaves: asItWas,
  },
  {
    name: 'list',
    run: async (store, { kind, present }) => void expect(await listAll(store, kind)).to.include(present.mac),
    leaves: asItWas,
  },
  {
    name: 'stat',
    run: async (store, { present, bytes }) => void expect((await store.stat(present, ctx)).size).to.equal(bytes.length),
    leaves: asItWas,
  },
  {
    name: 'get',
    run: async (store, { present, bytes }) =>
      void expect((await getAll(store, present)).equals(bytes), 'the bytes').to.equal(true),
    leaves: asItWas,
  },
  {
    name: 'get a range',
    run: async (store, { present, bytes }) => {
      const part = await getAll(store, present, { offset: 10, length: 20 });
      expect(part.equals(bytes.subarray(10, 30)), 'the bytes').to.equal(true);
    },
    leaves: asItWas,
  },
  {
    name: 'put a new one',
    run: async (store, { absent, other }) => void (await putAll(store, absent, other)),
    leaves: ({ absent: ref, other: bytes }) => ({ ref, bytes }),
  },
  {
    name: 'put the same bytes',
    run: async (store, { present, bytes }) => void (await putAll(store, present, bytes)),
    leaves: asItWas,
  },
  {
    name: 'put other bytes',
    run: async (store, { present, other }) => void (await putAll(store, present, other)),
    leaves: ({ present: ref, other: bytes }) => ({ ref, bytes }),
  },
  {
    name: 'delete',
    run: (store, { present }) => store.delete(present, ctx),
    leaves: ({ present: ref }) => ({ ref, bytes: undefined }),
  },
  {
    name: 'delete what is not there',
    run: (store, { absent }) => store.delete(absent, ctx),
    leaves: ({ absent: ref }) => ({ ref, bytes: undefined }),
  },
] as const satisfies readonly Operation[];

export type OperationName = (typeof operations)[number]['name'];

/** Larger files only make it slow to look at. */
const maxBytes = 250_000;

/** A real store on disk, for operations that may change it. */
export class SubjectStore {
  private constructor(
    readonly folder: string,
    private readonly files: ReadonlyMap<string, Buffer>,
  ) {}

  static async create(): Promise<SubjectStore> {
    const folder = await fixtureStore('v1.1-encrypted/store-two-snapshots');
    for (const name of await filesOf(folder)) {
      if ((await stat(join(folder, name))).size > maxBytes) await rm(join(folder, name));
    }
    await removeEmptyFolders(folder);
    const files = new Map<string, Buffer>();
    for (const name of await filesOf(folder)) files.set(name, await readFile(join(folder, name)));
    return new SubjectStore(folder, files);
  }

  /** The smallest object of a kind, and others for it. */
  subject(kind: ObjectKind): Subject {
    const all = [...this.files].filter(([name]) => name.startsWith(`${kind}s/`));
    const [name = '', bytes = Buffer.alloc(0)] = all.sort(([, a], [, b]) => a.length - b.length)[0] ?? [];
    const present = { ...newRef(kind), mac: name.slice(-64) as ObjectRef['mac'] };
    return { kind, present, bytes, other: makeObject(kind, 200), absent: newRef(kind) };
  }

  /** An object's bytes on disk; undefined where it isn't there. */
  bytesOf({ kind, mac }: ObjectRef): Promise<Buffer | undefined> {
    const path = kind === 'lock' ? `locks/${mac}` : `${kind}s/${mac.slice(0, 2)}/${mac}`;
    return readFile(join(this.folder, path)).catch(() => undefined);
  }

  /** Makes it what it was in the beginning. */
  async restore(): Promise<void> {
    for (const name of await filesOf(this.folder)) {
      if (!this.files.has(name)) await rm(join(this.folder, name));
    }
    for (const [name, bytes] of this.files) {
      const path = join(this.folder, name);
      const now = await readFile(path).catch(() => undefined);
      if (now?.equals(bytes) !== true) await writeFile(path, bytes);
    }
    await removeEmptyFolders(this.folder);
  }
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

/** The empty buckets of a store: without them it is the same one, and faster to look at. */
async function removeEmptyFolders(folder: string): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) {
    if (/^(packfiles|states)\/..$/.test(name)) await rmdir(join(folder, name)).catch(() => undefined);
  }
}
