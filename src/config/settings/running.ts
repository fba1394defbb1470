import { setting } from '../setting.js';
import { choice, count, duration, flag, folder, path, text } from '../values.js';

/** How the program runs and what it records. */
export const running = {
  instance: setting(
    'instance',
    text('NAME').optional(),
    "this gateway's name in the audit log, metrics, log and status, to tell replicas apart",
    "the host's name",
  ),
  auditLog: setting(
    'audit-log',
    path().optional(),
    'the file of the audit log: a line of JSON for each write, delete and refusal; reopened on SIGHUP',
  ),
  stateDir: setting(
    'state-dir',
    folder().optional(),
    'the folder for what must survive restarts: when backups ran, unsent notifications, the progress of mirrors and of verification',
    'in memory',
  ),
  trustsClock: setting(
    'trust-clock',
    flag().prefault(false),
    "make retention and trash use this machine's clock even if it doesn't fit the times of the stores' states",
  ),
  shutdownDelayMs: setting(
    'shutdown-delay',
    duration(0).prefault('0s'),
    'how long the gateway, when told to stop, still serves while /readyz answers 503, so that load balancers notice',
  ),
  drainMs: setting(
    'drain-timeout',
    duration(0).prefault('30s'),
    'how long running requests may take to finish when the gateway stops',
  ),
  workers: setting(
    'workers',
    count(1, 64).optional(),
    'how many processes share the work; a gateway with a quota on any store runs as one',
    'half the number of cores, from 1 to 8',
  ),
  logLevel: setting(
    'log-level',
    choice(['trace', 'debug', 'info', 'warn', 'error', 'silent']).prefault('info'),
    'lines of this level and above are logged; info has a line for each request',
  ),
  logFormat: setting(
    'log-format',
    choice(['text', 'json']).optional(),
    'the format of log lines',
    'text on a terminal, json otherwise',
  ),
};
