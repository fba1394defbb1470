import { setting } from '../setting.js';
import { choice, count, duration, flag, folder, path, text } from '../values.js';

/** How the program runs and what it records. */
export const running = {
  instance: setting(
    'instance',
    text('NAME').optional(),
    "this gateway's name in audit lines, metrics, the log and the status: it tells replicas apart",
    "the host's name",
  ),
  auditLog: setting(
    'audit-log',
    path().optional(),
    'append a line of JSON for each write, delete and refusal; reopened on SIGHUP',
  ),
  stateDir: setting(
    'state-dir',
    folder().optional(),
    'the folder where backups and unsent notifications are remembered across restarts',
    'in memory',
  ),
  trustsClock: setting(
    'trust-clock',
    flag().prefault(false),
    "let retention and the trash believe this machine's clock, also where it doesn't fit to the times of the stores' states",
  ),
  shutdownDelayMs: setting(
    'shutdown-delay',
    duration(0).prefault('0s'),
    'how long the gateway goes on serving when it is to stop, while /readyz says no: load balancers need that to notice',
  ),
  drainMs: setting(
    'drain-timeout',
    duration(0).prefault('30s'),
    'how long running requests may continue when the gateway stops',
  ),
  workers: setting(
    'workers',
    count(1, 64).optional(),
    'processes that share the work; stores with a quota are served by one',
    'half the number of cores, from 1 to 8',
  ),
  logLevel: setting(
    'log-level',
    choice(['trace', 'debug', 'info', 'warn', 'error', 'silent']).prefault('info'),
    'how much is logged; info has a line for each request',
  ),
  logFormat: setting(
    'log-format',
    choice(['text', 'json']).optional(),
    'the format of log lines',
    'text on a terminal, json otherwise',
  ),
};
