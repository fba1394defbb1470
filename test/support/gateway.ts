import type { Host } from '../../src/backends/files/sweep.js';
import { makeConfig, type Config, type Settings } from '../../src/config/config.js';
import type { ListenAddress } from '../../src/core/address.js';
import type { Logger } from '../../src/lib/logger.js';
import type { Gateway, GatewayOptions } from '../../src/server/gateway.js';
import { startGateway } from '../../src/server/start-gateway.js';

export const host: Host = { name: 'test-host', pid: process.pid, startedMs: Date.now(), isAlive: () => true };

/** A logger that discards everything. */
export const silent: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

export interface TestGateway {
  readonly gateway: Gateway;
  readonly httpPort: number;
  readonly grpcPort: number;
  /** What it logged so far. */
  readonly log: LogLine[];
  close(): Promise<void>;
}

/** A configuration of these settings, on free ports of 127.0.0.1 unless they say otherwise. */
export function testConfig(settings: Settings): Config {
  const checked = makeConfig(
    { listen: ['127.0.0.1:0'], 'grpc-listen': ['127.0.0.1:0'], ...settings },
    { home: '/nonexistent', cwd: '/nonexistent' },
  );
  if ('problems' in checked) throw new Error(checked.problems.join('\n'));
  return checked.config;
}

/**
 * Starts a gateway in this process, on free ports of 127.0.0.1.
 *
 * @param location of the default store; undefined: the settings have stores with names
 * @param more.env added to the environment of the user that runs it
 */
export async function startTestGateway(
  location: string | undefined,
  settings: Settings = {},
  more: Pick<GatewayOptions, 'sessionTimes' | 'mirroringTimes' | 'verifyingTimes'> & {
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<TestGateway> {
  const config = testConfig(location === undefined ? settings : { ...settings, location });
  const log: LogLine[] = [];
  const logger = (level: string) => (fields: object, message: string) => log.push({ level, message, ...fields });
  const { env, ...options } = more;
  const gateway = await startGateway({
    ...options,
    config,
    log: { info: logger('info'), warn: logger('warn'), error: logger('error') },
    host,
    user: { name: 'operator', home: '/nonexistent', env: { PATH: process.env['PATH'], ...env } },
  });
  return {
    gateway,
    httpPort: portOf(gateway.http[0]),
    grpcPort: portOf(gateway.grpc[0]),
    log,
    close: () => gateway.close(0),
  };
}

function portOf(address: ListenAddress | undefined): number {
  return address !== undefined && 'port' in address ? address.port : NaN;
}
