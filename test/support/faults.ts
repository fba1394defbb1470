import { deferred } from './deferred.js';
import type { Fault } from './fault-proxy.js';

/* What may happen to a request to an S3 service. */

/** The service refuses it, and does nothing. */
export function refuse(status: number, code: string): Fault {
  return (exchange) => exchange.refuse(status, code);
}

/** The service has too much to do. */
export const slowDown = refuse(503, 'SlowDown');

/** The service does it, and says that it has not. */
export function doneButRefused(status: number, code: string): Fault {
  return async (exchange) => {
    (await exchange.send()).resume();
    await exchange.refuse(status, code);
  };
}

/** The connection is cut before the service has any of it. */
export const lostRequest: Fault = async (exchange) => {
  exchange.cut();
};

/** The service does it, and the connection is cut before its answer comes. */
export const lostAnswer: Fault = async (exchange) => {
  const answer = await exchange.send();
  for await (const chunk of answer) void chunk;
  exchange.cut();
};

/** The connection is cut after so many bytes of the answer's body. */
export function cutAfter(bytes: number): Fault {
  return async (exchange) => {
    await exchange.pass(await exchange.send(), bytes);
  };
}

/** The answer comes, but of its body only so many bytes: nothing else until the client ends. */
export function answerStalledAfter(bytes: number): Fault {
  return async (exchange) => {
    await exchange.passOnly(await exchange.send(), bytes);
    await exchange.clientGone;
  };
}

/** The request waits before the service, and comes there only if the client is still there then. */
export function heldUntil(moment: Promise<unknown>): Fault {
  return async (exchange) => {
    const isGone = await Promise.race([moment.then(() => false), exchange.clientGone.then(() => true)]);
    if (!isGone) await exchange.forward();
  };
}

/** The client never hears of the service again, and it not of the client until that ends. */
export const held: Fault = heldUntil(new Promise(() => undefined));

/** Requests wait for each other before the service, until there are so many of them. */
export function meeting(count: number): Fault {
  const met = deferred();
  let waiting = 0;
  return (exchange) => {
    waiting++;
    if (waiting === count) met.resolve();
    return heldUntil(met.promise)(exchange);
  };
}

/** The service gets so many bytes of the request's body, and waits for the others until the client ends. */
export function stalledAfter(bytes: number): Fault {
  return (exchange) => exchange.sendOnly(bytes);
}

/** The service does it, and its answer waits until the client ends. Calls `done` when it is done. */
export function answerHeld(done: () => void): Fault {
  return async (exchange) => {
    const answer = await exchange.send();
    for await (const chunk of answer) void chunk;
    done();
    await exchange.clientGone;
  };
}

/** The answer comes with another body. */
export function rewritten(change: (body: string) => string): Fault {
  return async (exchange) => {
    await exchange.passChanged(await exchange.send(), change);
  };
}
