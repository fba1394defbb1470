import { StoreError } from './errors.js';

/**
 * The kinds of objects that plakar's protocols name, and whether stores have them. Packfiles and states are immutable; locks are not.
 * plakar 1.1.7 tries out the two for error correction; true would let them through, and the compiler says what else is needed then.
 */
const kinds = { packfile: true, state: true, lock: true, 'ecc-packfile': false, 'ecc-state': false } as const;

/** A kind that plakar's protocols name. */
export type NamedKind = keyof typeof kinds;

/** A kind that stores have. */
export type ObjectKind = { [K in NamedKind]: (typeof kinds)[K] extends true ? K : never }[NamedKind];

export const objectKinds = Object.keys(kinds).filter((kind): kind is ObjectKind => kinds[kind as NamedKind]);

/** Returns a kind that stores have. Throws `unimplemented` for the others. */
export function requireObjectKind(kind: NamedKind): ObjectKind {
  if (objectKinds.some((each) => each === kind)) return kind as ObjectKind;
  throw new StoreError(
    'unimplemented',
    'error correction objects are not supported: this store keeps packfiles, states and locks only',
  );
}

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
