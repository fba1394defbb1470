import type { Answer, Exchange } from './recordings.js';

/** An exchange with its request taken apart. */
export interface Case extends Exchange {
  readonly method: string;
  readonly url: string;
  /** What follows `/resources/`; undefined where nothing does. */
  readonly resource: string | undefined;
  /** `packfile`, `state` or `lock`; undefined for the ecc kinds, and for what is no resource. */
  readonly kind: string | undefined;
  /** What follows the resource, MAC or not; undefined where nothing does. */
  readonly name: string | undefined;
  /** The object that is asked for, by a known kind and a valid MAC. */
  readonly object: boolean;
  /** A request for a range, as plakar's clients write it. */
  readonly range: { readonly start: number; readonly end: number } | undefined;
}

/** What the gateway has answered so far: later answers follow from it. */
export class Aftermath {
  /** Locks that it deleted, where plakar's server refused to. */
  readonly deletedLocks = new Set<string>();
  /** URLs of uploads that it refused, where plakar's server took them. */
  readonly refusedUploads = new Set<string>();
  /** The last answer to a GET of a whole object, by URL. */
  readonly read = new Map<string, Answer>();

  note({ method, url, kind, name = '', range, recorded }: Case, { status, ...answer }: Answer): void {
    const ok = status === 200;
    if (kind === 'lock' && method === 'DELETE' && ok && recorded.status === 403) this.deletedLocks.add(name);
    if (kind === 'lock' && method === 'PUT' && ok) this.deletedLocks.delete(name);
    if (method === 'PUT' && !ok && recorded.status === 200) this.refusedUploads.add(url);
    if (method === 'GET' && ok && range === undefined) this.read.set(url, { status, ...answer });
  }
}

/** One thing in which the gateway's answers differ from those of plakar's own server, and are meant to. */
export interface Difference {
  readonly what: string;
  readonly why: string;
  /** Which exchanges it is about. */
  readonly applies: (exchange: Case, aftermath: Aftermath) => boolean;
  /** What the gateway answers to those. */
  readonly answer: (exchange: Case, aftermath: Aftermath) => Answer;
}

/** Every difference from the answers of plakar 1.1.4's server. No other is allowed, and none that isn't needed. */
export const differences: readonly Difference[] = [
  {
    what: 'a lock is deleted for whoever may write',
    why: 'a lock that stays behind makes every backup fail from ten minutes later on',
    applies: ({ method, kind, object, recorded }) =>
      method === 'DELETE' && kind === 'lock' && object && recorded.status === 403,
    answer: () => done,
  },
  {
    what: 'a lock that was deleted is no longer listed',
    why: 'follows from the row above',
    applies: ({ method, url, recorded }, { deletedLocks }) =>
      method === 'GET' && url === '/resources/locks' && macsIn(recorded).some((mac) => deletedLocks.has(mac)),
    answer: ({ recorded }, { deletedLocks }) => listed(macsIn(recorded).filter((mac) => !deletedLocks.has(mac))),
  },
  {
    what: 'a lock that was deleted is not found',
    why: 'follows from the row above',
    applies: ({ method, kind, name = '' }, { deletedLocks }) =>
      method === 'GET' && kind === 'lock' && deletedLocks.has(name),
    answer: missing,
  },
  {
    what: "a packfile's or a state's delete is refused with what it would take",
    why: 'the text is what the user sees',
    applies: ({ method, kind, object, recorded }) =>
      method === 'DELETE' && kind !== 'lock' && object && recorded.status === 403,
    answer: ({ kind }) =>
      failure(
        403,
        `not allowed to delete ${kind}s: your access to this store is append, and that needs full, ` +
          "which the gateway's operator grants with --allow-delete",
      ),
  },
  {
    what: 'a delete of what is missing succeeds',
    why: 'a client whose answer got lost deletes again; what it wants is so',
    applies: ({ method, object, recorded }) => method === 'DELETE' && object && recorded.status === 500,
    answer: () => done,
  },
  {
    what: 'an object that is missing is a 404',
    why: "a 500 can't be told from a broken disk, and plakar's text may show where the server keeps its files",
    applies: ({ method, object, recorded }) => method === 'GET' && object && recorded.status === 500,
    answer: missing,
  },
  {
    what: 'an upload of less than the shortest object is refused',
    why: "it was cut off, or isn't one: the store must not say later that it has this object",
    applies: ({ method, object, asked, recorded }) =>
      method === 'PUT' && object && asked.body.length < 48 && recorded.status === 200,
    answer: ({ kind, asked }) =>
      failure(
        400,
        `not a ${kind}: it has ${asked.body.length} bytes, and the shortest has 48; was the upload cut off?`,
      ),
  },
  {
    what: 'an upload with the header of another kind is refused',
    why: 'the same',
    applies: ({ method, kind = '', object, asked, recorded }) =>
      method === 'PUT' &&
      object &&
      recorded.status === 200 &&
      asked.body.length >= 48 &&
      asked.body.readUInt32LE(8) !== headerTypes[kind],
    answer: ({ kind, asked }) =>
      failure(400, `not a ${kind}: its header says that it is of type ${asked.body.readUInt32LE(8)}`),
  },
  {
    what: 'an object whose upload was refused is not there',
    why: 'follows from the rows above',
    applies: ({ method, url }, { refusedUploads, read }) =>
      method === 'GET' && refusedUploads.has(url) && !read.has(url),
    answer: missing,
  },
  {
    what: 'a packfile or state is not overwritten with other bytes',
    why: 'who may only add could destroy every backup by overwriting it',
    applies: ({ method, url, kind, asked, recorded }, { read }) =>
      method === 'PUT' && kind !== 'lock' && recorded.status === 200 && overwrites(read.get(url), asked.body),
    answer: ({ kind }) =>
      failure(409, `a ${kind} with this MAC and other bytes is stored already, and ${kind}s are never replaced`),
  },
  {
    what: 'a packfile or state that was to be overwritten is as it was',
    why: 'follows from the row above',
    applies: ({ method, url }, { refusedUploads, read }) =>
      method === 'GET' && refusedUploads.has(url) && read.has(url),
    answer: ({ url, recorded }, { read }) => read.get(url) ?? recorded,
  },
  {
    what: 'a range of a state or a lock is honoured',
    why: 'who asks for ten bytes counts on getting ten; plakar sends the whole object, and its clients never ask',
    applies: ({ method, kind, object, range, recorded }) =>
      method === 'GET' && kind !== 'packfile' && object && range !== undefined && recorded.status === 200,
    answer: ({ range, recorded }) => {
      const body = Buffer.from(recorded.body, 'hex').subarray(range?.start, range?.end);
      return { ...recorded, contentLength: body.length, body: body.toString('hex') };
    },
  },
  {
    what: 'the two ecc kinds are 501',
    why: 'nothing is broken: no store keeps them',
    applies: ({ resource, recorded }) => resource?.startsWith('ecc') === true && recorded.status === 500,
    answer: () =>
      failure(501, 'error correction objects are not supported: this store keeps packfiles, states and locks only'),
  },
  {
    what: 'an unknown resource is refused with a list of those there are, whatever access the caller has',
    why: 'the text is what the user sees; more access would not help',
    applies: ({ kind, resource }) => resource !== undefined && kind === undefined && !resource.startsWith('ecc'),
    answer: () =>
      failure(400, 'Invalid resource type: it has to be one of packfiles, states, locks, eccpackfiles, eccstates'),
  },
  {
    what: 'a bad MAC is refused with what one is, whatever access the caller has',
    why: 'the same',
    applies: ({ kind, name, object }) => kind !== undefined && name !== undefined && !object,
    answer: () => failure(400, 'invalid MAC: it has to be 64 hex digits'),
  },
  {
    what: 'CONFIG is at / and nowhere else: other paths are 404',
    why: "plakar's server answers every path with CONFIG, so a mistyped location looks like a store",
    applies: ({ url, resource }) => url !== '/' && resource === undefined,
    answer: ({ url }) =>
      failure(
        404,
        url.startsWith('/resources')
          ? 'no such path: a store is at /, or at /NAME, and its objects at /resources/ behind it'
          : `no store "${url.slice(1)}" here; ask the gateway's operator which there are`,
      ),
  },
  {
    what: 'a method that a path does not have is refused with those it has',
    why: 'the text is what the user sees',
    applies: ({ recorded }) => recorded.status === 405,
    answer: ({ name }) =>
      failure(405, `method not allowed: this path has ${name === undefined ? 'GET, HEAD' : 'GET, HEAD, PUT, DELETE'}`),
  },
  {
    what: "HEAD doesn't tell a list's length",
    why: 'it would have to read the whole list for that',
    applies: ({ method, kind, name }) => method === 'HEAD' && kind !== undefined && name === undefined,
    answer: ({ recorded }) => ({ ...recorded, contentLength: undefined }),
  },
];

const kinds: Readonly<Record<string, string>> = { packfiles: 'packfile', states: 'state', locks: 'lock' };

const headerTypes: Readonly<Record<string, number>> = { lock: 2, state: 3, packfile: 4 };

const done: Answer = { status: 200, contentType: undefined, contentLength: 0, body: '' };

export function caseOf(exchange: Exchange): Case {
  const { method, url, headers } = exchange.asked;
  const [, resource, name] = /^\/resources\/([^/?]*)(?:\/([^/?]*))?/.exec(url) ?? [];
  const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(headers['range'] ?? '') ?? [];
  const kind = kinds[resource ?? ''];
  return {
    ...exchange,
    method,
    url,
    resource,
    kind,
    name,
    object: kind !== undefined && /^[0-9a-f]{64}$/i.test(name ?? ''),
    range: start === undefined || end === undefined ? undefined : { start: Number(start), end: Number(end) },
  };
}

function failure(status: number, message: string): Answer {
  const body = `${message}\n`;
  return { status, contentType: 'text/plain; charset=utf-8', contentLength: body.length, body };
}

function missing({ kind, name }: Case): Answer {
  return failure(404, `no ${kind} ${name} in this store`);
}

function listed(macs: readonly string[]): Answer {
  const body = `${JSON.stringify(macs)}\n`;
  return { status: 200, contentType: 'application/json', contentLength: body.length, body };
}

function macsIn({ body }: Answer): string[] {
  return JSON.parse(body) as string[];
}

/** Whether an upload has other bytes than an object that was read. */
function overwrites(present: Answer | undefined, upload: Buffer): boolean {
  return present !== undefined && present.body !== upload.toString('hex');
}
