import { setting } from '../setting.js';
import { choice, count, duration, path } from '../values.js';

/** How the program runs and what it records. */
export const running = {
  auditLog: setting(
    'audit-log',
    path().optional(),
    'append a line of JSON for each write, delete and refusal; reopened on SIGHUP',
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
