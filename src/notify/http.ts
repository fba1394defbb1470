import { version } from '../lib/package-info.js';
import { DeliveryFailure } from './target.js';

/** Answers about the request itself. Other 4xx are about who asks, where or when, and change once the receiver or its address is mended. */
const isAboutRequest = (status: number): boolean =>
  status >= 400 && status < 500 && ![401, 403, 404, 407, 408, 425, 429].includes(status);

/**
 * Sends a request; redirects are not followed. Resolves to the status if that is a 2xx, and fails with a DeliveryFailure otherwise. Its
 * message doesn't contain the URL, since what knows that may send, too.
 */
export async function request(url: URL, init: RequestInit, signal: AbortSignal): Promise<number> {
  let response: Response;
  try {
    response = await fetch(url, {
      ...init,
      headers: { 'user-agent': `kloset-gateway/${version}`, ...init.headers },
      redirect: 'manual',
      signal,
    });
  } catch (error) {
    throw new DeliveryFailure(signal.aborted ? reasonOf(signal) : networkProblem(error));
  }
  const { status } = response;
  // Nothing in the body matters, and it may be long.
  await response.body?.cancel().catch(() => undefined);
  if (status >= 200 && status < 300) return status;
  const redirect = status >= 300 && status < 400 ? ', a redirect, which is not followed' : '';
  throw new DeliveryFailure(`it answered ${status}${redirect}`, isAboutRequest(status));
}

/** Why an attempt was given up. */
export function reasonOf({ reason }: AbortSignal): string {
  return reason instanceof Error ? reason.message : 'it was given up';
}

/** Only the cause's text is shown: the one of fetch's own errors may contain the URL. */
function networkProblem(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!(cause instanceof Error)) return 'no connection';
  // An error about several addresses has a code only.
  return cause.message || ('code' in cause ? String(cause.code) : 'no connection');
}
