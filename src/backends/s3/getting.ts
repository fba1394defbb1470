import type { Readable } from 'node:stream';
import { download, emptyDownload, extentOf, type Download, type KeyRange } from './download.js';
import { failureIn, refusal } from './errors.js';
import type { Requests } from './requests.js';
import { refusalIn } from './signed-requests.js';

/** Which object, version and range. */
export interface Wanted {
  readonly key: string;
  readonly versionId?: string | undefined;
  /** Default: the whole object. */
  readonly range?: KeyRange | undefined;
}

/** The status of the answer to a range that is past the end. */
const outOfRange = 416;

/**
 * An object or a version of it, or a range. `not_found` if there is none.
 *
 * @param sizeOf asks for the object's size: for a range past its end, which has no bytes, where the answer doesn't tell it
 */
export async function getObject(
  requests: Requests,
  wanted: Wanted,
  sizeOf: () => Promise<number>,
  signal: AbortSignal | undefined,
): Promise<Download> {
  // The SDK knows how the customer's key is sent.
  const quick = requests.hasCustomerKey ? undefined : await getQuickly(requests, wanted, sizeOf, signal);
  if (quick !== undefined) return quick;
  const { sdk, client, silenceMs } = requests;
  const { key, versionId, range } = wanted;
  const command = new sdk.GetObjectCommand({
    ...requests.at(key, versionId),
    ...requests.encryption(),
    ...(range && { Range: headerOf(range) }),
  });
  try {
    const answer = await requests.answer('GetObject', (how) => client.send(command, how), { signal });
    const extent = { contentLength: answer.ContentLength, contentRange: answer.ContentRange };
    return download(range, extent, answer.Body as Readable, { silenceMs, signal });
  } catch (error) {
    if (failureIn(error)?.status !== outOfRange) throw error;
    return emptyDownload(await sizeOf());
  }
}

/** Resolves to undefined where the SDK's command has to be asked. */
async function getQuickly(
  { signed, silenceMs }: Requests,
  { key, versionId, range }: Wanted,
  sizeOf: () => Promise<number>,
  signal: AbortSignal | undefined,
): Promise<Download | undefined> {
  const query = { ...(versionId !== undefined && { versionId }) };
  const headers = { ...(range && { range: headerOf(range) }) };
  const answer = await signed.get({ key, query, headers }, { silenceMs, signal });
  if (answer === undefined) return undefined;
  if (answer.status < 300) return download(range, extentOf(answer.headers), answer.body, { silenceMs, signal });
  const { code, objectSize } = await refusalIn(answer, silenceMs);
  if (answer.status === outOfRange) return emptyDownload(objectSize ?? (await sizeOf()));
  if (code === 'NoSuchKey' || code === 'NoSuchVersion') throw refusal('GetObject', answer.status, code);
  return undefined;
}

function headerOf({ start, end }: KeyRange): string {
  return `bytes=${start}-${end}`;
}
