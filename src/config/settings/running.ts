import { setting } from '../setting.js';
import { logFormats, logLevels } from '../types.js';
import { choice, count, duration, text } from '../values.js';

/** How the program runs and what it tells. */
export const running = {
  'audit-log': setting({
    schema: text(),
    value: 'FILE',
    description: 'append a line of JSON for each write, delete and refusal; reopened at SIGHUP',
  }),
  'drain-timeout': setting({
    schema: duration(0),
    value: 'TIME',
    default: '30s',
    description: 'how long running requests may go on at a stop',
  }),
  workers: setting({
    schema: count(1, 64),
    value: 'N',
    defaultText: 'half as many as there are cores, from 1 to 8',
    description: 'processes that share the work; stores with a quota are served by one',
  }),
  'log-level': setting({
    schema: choice(logLevels),
    value: logLevels.join('|'),
    default: 'info',
    description: 'how much is logged; info has a line for each request',
  }),
  'log-format': setting({
    schema: choice(logFormats),
    value: logFormats.join('|'),
    defaultText: 'text on a terminal, json otherwise',
    description: 'how log lines look',
  }),
} as const;
