import { setting } from '../setting.js';
import { count, duration, size } from '../values.js';

/** The size of the smallest object, in bytes. A smaller limit would prevent all uploads. */
const smallestObject = 48;

/** Limits on what callers may use. */
export const limits = {
  maxObjectBytes: setting(
    'max-object-size',
    size(smallestObject).prefault('4GiB'),
    'the largest packfile or state that is accepted',
  ),
  minFreeBytes: setting('min-free-space', size().prefault('1GiB'), "the space that must stay free on a store's disk"),
  maxHeaderBytes: setting(
    'max-header-size',
    size(1024, 1024 ** 2).prefault('16KiB'),
    "the largest total size of a request's headers",
  ),
  headerTimeoutMs: setting(
    'header-timeout',
    duration(1).prefault('30s'),
    'how long the headers of a request may take to arrive',
  ),
  minRate: setting(
    'min-rate',
    size().prefault('1KiB'),
    'the minimum rate of a transfer, per second, on average over stall-timeout; only time in which the gateway waits for the client counts; 0: none',
  ),
  stallMs: setting('stall-timeout', duration(1).prefault('60s'), 'how long a transfer may stay below min-rate'),
  idleMs: setting(
    'idle-timeout',
    duration(1).prefault('120s'),
    "how long a connection may be idle; Go's clients, including plakar, keep theirs for 90s",
  ),
  maxConnections: setting(
    'max-connections',
    count(1, 1_000_000).prefault(20_000),
    'the most concurrent connections of all listeners together',
  ),
  maxRequests: setting(
    'max-requests',
    count(1, 1_000_000).prefault(256),
    'the most concurrent operations of one caller: a principal, or an address for anonymous callers',
  ),
  maxUploads: setting(
    'max-uploads',
    count(1, 1_000_000).prefault(128),
    'the most concurrent uploads of one caller; they also count for max-requests',
  ),
  queueMs: setting(
    'queue-timeout',
    duration(0).prefault('30s'),
    'how long a request waits while max-requests or max-uploads is reached',
  ),
  maxStreams: setting(
    'max-streams',
    count(1, 100_000).prefault(1000),
    'the most concurrent streams of an HTTP/2 connection',
  ),
  maxResets: setting(
    'max-resets',
    count(1, 1000).prefault(1000),
    'the most streams that a client may reset in ten seconds before its connection is closed; Node closes it at 1000',
  ),
};
