import { setting } from '../setting.js';
import { count, duration, size } from '../values.js';

/** The shortest object that there is; smaller limits would stop everything. */
const smallestObject = 48;

/** What callers may take. */
export const limits = {
  'max-object-size': setting({
    schema: size(smallestObject),
    value: 'SIZE',
    default: '4GiB',
    description: 'the largest packfile or state that is taken',
  }),
  'min-free-space': setting({
    schema: size(),
    value: 'SIZE',
    default: '1GiB',
    description: "how much has to stay free on a store's disk",
  }),
  'max-header-size': setting({
    schema: size(1024, 1024 ** 2),
    value: 'SIZE',
    default: '16KiB',
    description: "all bytes of a request's headers",
  }),
  'header-timeout': setting({
    schema: duration(1),
    value: 'TIME',
    default: '30s',
    description: 'how long they may take to arrive',
  }),
  'min-rate': setting({
    schema: size(),
    value: 'SIZE',
    default: '1KiB',
    description:
      'what a transfer has to move per second, over the stall timeout, while the client is waited for; 0: anything',
  }),
  'stall-timeout': setting({
    schema: duration(1),
    value: 'TIME',
    default: '60s',
    description: 'how long a transfer may be slower than that',
  }),
  'idle-timeout': setting({
    schema: duration(1),
    value: 'TIME',
    default: '120s',
    description: "how long a connection may be idle; Go's clients, plakar among them, keep theirs for 90s",
  }),
  'max-connections': setting({
    schema: count(1, 1_000_000),
    value: 'N',
    default: 20_000,
    description: 'connections at once, of all listeners together',
  }),
  'max-requests': setting({
    schema: count(1, 1_000_000),
    value: 'N',
    default: 256,
    description: 'operations at once of one principal, or of one address where nobody logs in',
  }),
  'max-uploads': setting({
    schema: count(1, 1_000_000),
    value: 'N',
    default: 64,
    description: 'uploads among them',
  }),
  'queue-timeout': setting({
    schema: duration(0),
    value: 'TIME',
    default: '30s',
    description: 'how long a request waits for its turn under those two',
  }),
  'max-streams': setting({
    schema: count(1, 100_000),
    value: 'N',
    default: 256,
    description: 'streams at once of one HTTP/2 connection',
  }),
  'max-resets': setting({
    schema: count(1, 1000),
    value: 'N',
    default: 1000,
    description:
      'streams that a client may reset in ten seconds on one connection, before it is closed; Node cuts it at 1000 by itself',
  }),
} as const;
