/* The package's export `kloset-gateway/client`: a typed client of the gateway's own gRPC API. */
export { GatewayClient, type CallOptions, type ClientOptions, type StoreDescription } from './client.js';
export type { Download } from './download.js';
export type { ConnectionOptions, TlsOptions } from './connection.js';
export type { RangeAnswer, RangeRead } from './read-ranges.js';
export type { Access } from '../core/access.js';
export { errorCodes, hasCode, StoreError, type ErrorCode } from '../core/errors.js';
export {
  macFromBytes,
  macToBytes,
  objectKinds,
  parseMac,
  type Mac,
  type ObjectKind,
  type ObjectRef,
} from '../core/object.js';
export type { ByteRange } from '../core/range.js';
export type { ObjectStat, PutResult } from '../core/store.js';
