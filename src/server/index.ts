/* The exports of the package, for programs that run a gateway in their own process. */
export type { Gateway, GatewayOptions } from './gateway.js';
export { startGateway } from './start-gateway.js';
export type { User } from '../backends/backend.js';
export { makeConfig, type Config, type Settings } from '../config/config.js';
export type { Host } from '../backends/files/sweep.js';
export type { ListenAddress } from '../core/address.js';
export type { Logger } from '../lib/logger.js';
