import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FileStore } from '../../../src/backends/files/file-store.js';
import { digestsFolder, objectPath } from '../../../src/backends/files/layout.js';
import { LocalFileSystem } from '../../../src/backends/local/local-file-system.js';
import { macFromBytes } from '../../../src/core/object.js';
import { DigestWriter } from '../../../src/integrity/digest-writer.js';
import { openMacs, type NewMac } from '../../../src/integrity/object-mac.js';
import type { VerifiedRef } from '../../../src/integrity/verify-report.js';
import { host, silent } from '../../support/gateway.js';
import { newRef, makeObject } from '../../support/objects.js';
import { emptyStore, fixtureStore, tempFolder } from '../../support/temp.js';

/** A store's folder, whose files tests damage as disks and people do. */
export class Folder {
  constructor(readonly path: string) {}

  /** An empty store. */
  static async create(encryption: 'plaintext' | 'encrypted'): Promise<Folder> {
    const folder = new Folder(await emptyStore());
    if (encryption === 'encrypted') await writeFile(join(folder.path, 'CONFIG'), await encryptedConfig());
    return folder;
  }

  /** The same files in another folder. */
  async copy(): Promise<Folder> {
    const path = join(await tempFolder(), 'copy');
    await cp(this.path, path, { recursive: true, preserveTimestamps: true });
    return new Folder(path);
  }

  /** Opens it for an operator who repairs it. */
  open(options: { readonly trashes?: boolean } = {}): Promise<FileStore> {
    const { trashes = true } = options;
    const needs = { durable: false, maxObjectBytes: 2 ** 30, writable: true, trashes, host };
    return FileStore.open(new LocalFileSystem(this.path), needs);
  }

  /** Adds an object with the MAC and, of a packfile, the name that it would have in a plaintext store. */
  async add(kind: VerifiedRef['kind'], size: number, seed: string): Promise<VerifiedRef> {
    const newMac = openMacs(await readFile(join(this.path, 'CONFIG'))) ?? (() => createHash('sha256'));
    const object = makeObject(kind, size - 32, seed);
    const ref = {
      kind,
      mac: kind === 'packfile' ? macFromBytes(macOf(newMac, object.subarray(16))) : newRef(kind).mac,
    };
    await this.write(ref, Buffer.concat([object, macOf(newMac, object)]));
    return ref;
  }

  file(ref: VerifiedRef): string {
    return join(this.path, objectPath(ref));
  }

  read(ref: VerifiedRef): Promise<Buffer> {
    return readFile(this.file(ref));
  }

  async write(ref: VerifiedRef, bytes: Uint8Array): Promise<void> {
    await mkdir(dirname(this.file(ref)), { recursive: true });
    await writeFile(this.file(ref), bytes);
  }

  /** Flips a bit. @param at from 0 to 1: where in the object */
  async flip(ref: VerifiedRef, at: number): Promise<void> {
    const bytes = await this.read(ref);
    const offset = Math.floor(at * bytes.length);
    bytes[offset] = (bytes[offset] ?? 0) ^ (1 << (offset & 7));
    await this.write(ref, bytes);
  }

  /** Cuts an object to a share of its bytes, from 0 to 1. */
  async cut(ref: VerifiedRef, share: number): Promise<void> {
    const bytes = await this.read(ref);
    await this.write(ref, bytes.subarray(0, Math.floor(share * bytes.length)));
  }

  async swap(one: VerifiedRef, other: VerifiedRef): Promise<void> {
    const aside = join(this.path, `aside.${one.mac}`);
    await rename(this.file(one), aside);
    await rename(this.file(other), this.file(one));
    await rename(aside, this.file(other));
  }

  lose(ref: VerifiedRef): Promise<void> {
    return rm(this.file(ref));
  }

  /** Records the digests of these objects as a gateway does when they are put. */
  async record(refs: readonly VerifiedRef[]): Promise<void> {
    await this.withRecorder(async (recorder) => {
      await Promise.all(
        refs.map(async (ref) => {
          const bytes = await this.read(ref);
          await recorder.record(ref, { size: bytes.length, sha256: createHash('sha256').update(bytes).digest() });
        }),
      );
    });
  }

  /** Changes the last byte of CONFIG. */
  async changeConfig(): Promise<void> {
    const config = await readFile(join(this.path, 'CONFIG'));
    config[config.length - 1] = (config.at(-1) ?? 0) ^ 1;
    await writeFile(join(this.path, 'CONFIG'), config);
  }

  /** Changes a digit of a recorded digest. */
  async changeDigests(): Promise<void> {
    const folder = join(this.path, digestsFolder);
    const [name = ''] = await readdir(folder);
    const text = await readFile(join(folder, name), 'latin1');
    const at = text.length - 120;
    await writeFile(join(folder, name), `${text.slice(0, at)}${text[at] === '0' ? '1' : '0'}${text.slice(at + 1)}`);
  }

  async withRecorder(use: (recorder: DigestWriter) => Promise<void>): Promise<void> {
    const store = await this.open();
    const recorder = new DigestWriter(store.digests, { instance: 'test', host: 'test', log: silent });
    await use(recorder);
    await recorder.close();
    await store.close();
  }
}

let cachedConfig: Buffer | undefined;

async function encryptedConfig(): Promise<Buffer> {
  return (cachedConfig ??= await readFile(join(await fixtureStore('v1.1-encrypted/store-empty'), 'CONFIG')));
}

function macOf(newMac: NewMac, bytes: Uint8Array): Uint8Array {
  const mac = newMac();
  mac.update(bytes);
  return mac.digest();
}

/** Numbers from 0 to 1 that look random, and are the same for the same seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
