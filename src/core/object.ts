import { StoreError } from './errors.js';

/** The kinds of objects in a store. Packfiles and states are immutable; locks are not. */
export const objectKinds = ['packfile', 'state', 'lock'] as const;

export type ObjectKind = (typeof objectKinds)[number];

declare const macBrand: unique symbol;

/** An object's name: 64 lower-case hex digits (32 bytes). Only the parsers below create one. */
export type Mac = string & { readonly [macBrand]: true };

/** Names one object. */
export interface ObjectRef {
  readonly kind: ObjectKind;
  readonly mac: Mac;
}

const canonicalMac = /^[0-9a-f]{64}$/;

/** Whether `name` is a MAC in its canonical form: 64 hex digits, lower case. */
export function isMac(name: string): name is Mac {
  return canonicalMac.test(name);
}

/** Parses 64 hex digits, upper or lower case. Throws `invalid_argument`. */
export function parseMac(text: string): Mac {
  if (isMac(text)) return text;
  const mac = text.toLowerCase();
  if (!isMac(mac)) throw new StoreError('invalid_argument', 'invalid MAC: it has to be 64 hex digits');
  return mac;
}

/** The length of a MAC in bytes. */
export const macBytes = 32;

/** Turns 32 bytes into a MAC. Throws `invalid_argument` for any other number of bytes. */
export function macFromBytes(bytes: Uint8Array): Mac {
  if (bytes.length !== macBytes) {
    throw new StoreError('invalid_argument', `invalid MAC: it has to be ${macBytes} bytes, not ${bytes.length}`);
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex') as Mac;
}

/** The 32 bytes of a MAC. */
export function macToBytes(mac: Mac): Buffer {
  return Buffer.from(mac, 'hex');
}

/** The error for the two kinds of plakar's APIs that no store supports yet. */
export function eccUnimplemented(): StoreError {
  return new StoreError(
    'unimplemented',
    'error correction objects are not supported: this store keeps packfiles, states and locks only',
  );
}
