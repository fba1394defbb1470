import type { RequestObserver } from '../core/request.js';
import type { Logger } from '../lib/logger.js';

/** An access log whose lines are part of the gateway's log. */
export function loggedRequests(log: Logger): RequestObserver {
  return {
    request: ({ protocol, method, path, status, received, sent, caller, principal }, ms) => {
      const rounded = Math.round(ms * 1000) / 1000;
      log.info({ protocol, method, path, caller, principal, status, received, sent, ms: rounded }, 'request');
    },
  };
}
