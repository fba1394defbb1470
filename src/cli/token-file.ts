import { isMap, isScalar, isSeq, parseDocument, Scalar, type Document, type YAMLMap } from 'yaml';

/** What the configuration file stores of a token. */
export interface KeptToken {
  /** 64 lower-case hex digits. */
  readonly sha256: string;
  /** When it expires, in the form of the configuration file; undefined: never. */
  readonly expires: string | undefined;
}

/** A principal as the configuration file has it. */
export interface KeptPrincipal {
  readonly name: string;
  readonly tokens: readonly KeptToken[];
  readonly certificates: readonly string[];
  /** Levels of access by name of the store. */
  readonly access: Readonly<Record<string, string>>;
}

interface FileProblem {
  readonly problem: string;
}

/**
 * Adds a token to a principal in a configuration file's text and keeps its comments. A principal that doesn't exist is added.
 * Returns a problem if the text has another form than expected. Otherwise also the changes of its access, as in `blue: append (before: none)`.
 * Pure.
 *
 * @param access levels by name of the store, which are added to the principal's
 */
export function addToken(
  text: string,
  principal: string,
  token: KeptToken,
  access: Readonly<Record<string, string>> = {},
): { readonly text: string; readonly isNew: boolean; readonly raised: readonly string[] } | FileProblem {
  const document = parse(text);
  if ('problem' in document) return document;
  const principals = mapIn(document, undefined, 'principals');
  if (principals === undefined) return { problem: byHand('principals') };
  const isNew = !principals.has(principal);
  const entry = mapIn(document, principals, principal);
  if (entry === undefined) return { problem: byHand(`principals.${principal}`) };
  if (isNew) entry.set('access', document.createNode({}));
  const raised: string[] = [];
  if (Object.keys(access).length > 0) {
    const levels = mapIn(document, entry, 'access');
    if (levels === undefined) return { problem: byHand(`principals.${principal}.access`) };
    for (const [store, level] of Object.entries(access)) {
      const before: unknown = levels.get(store) ?? 'none';
      if (before !== level)
        raised.push(`${store === '' ? 'the default store' : store}: ${level} (before: ${String(before)})`);
      const key = new Scalar(store);
      // Otherwise an empty one is written as `? ""`.
      if (store === '') key.type = Scalar.QUOTE_DOUBLE;
      levels.set(key, level);
    }
  }
  const tokens = entry.get('tokens', true);
  const { sha256, expires } = token;
  const node = document.createNode({ sha256, ...(expires !== undefined && { expires }) });
  node.flow = true;
  if (isSeq(tokens)) tokens.add(node);
  else if (isNothing(tokens)) entry.set('tokens', document.createNode([node]));
  else return { problem: byHand(`principals.${principal}.tokens`) };
  return { text: document.toString({ lineWidth: 0 }), isNew, raised };
}

/**
 * Removes the token with this SHA-256 from a principal in a configuration file's text and keeps its comments. Where it was the last
 * one, an empty list stays. Returns a problem if the text has another form than expected. Pure.
 */
export function removeToken(text: string, principal: string, sha256: string): { readonly text: string } | FileProblem {
  const document = parse(text);
  if ('problem' in document) return document;
  const path = ['principals', principal, 'tokens'];
  const tokens: unknown = document.getIn(path, true);
  if (!isSeq(tokens)) return { problem: byHand(path.join('.')) };
  const at = tokens.items.findIndex((item) =>
    isMap(item) || isScalar(item) ? keptToken(item.toJSON()).sha256 === sha256 : false,
  );
  if (at === -1) return { problem: byHand(path.join('.')) };
  tokens.delete(at);
  return { text: document.toString({ lineWidth: 0 }) };
}

/** The principals in a configuration file's text, or a problem if it isn't a map in YAML. Other parts aren't checked. Pure. */
export function principalsIn(text: string): readonly KeptPrincipal[] | FileProblem {
  const document = parse(text);
  if ('problem' in document) return document;
  const { principals } = recordOf(document.toJS());
  return Object.entries(recordOf(principals)).map(([name, written]) => {
    const { tokens, certificates, access } = recordOf(written);
    return {
      name,
      tokens: listOf(tokens).map(keptToken),
      certificates: listOf(certificates).map(String),
      access: Object.fromEntries(Object.entries(recordOf(access)).map(([store, level]) => [store, String(level)])),
    };
  });
}

/** The names of the stores in a configuration file's text, which has to be valid YAML; the default store's is empty. Pure. */
export function storesIn(text: string): readonly string[] {
  const { stores, location, sample } = recordOf(parseDocument(text).toJS());
  const hasDefault = stores === undefined || location !== undefined || sample === true;
  return [...(hasDefault ? [''] : []), ...Object.keys(recordOf(stores))];
}

/** The YAML to add to a configuration file by hand. */
export function tokenYaml(principal: string, token: KeptToken, access: Readonly<Record<string, string>>): string {
  const added = addToken('', principal, token, access);
  return 'text' in added ? added.text : '';
}

function parse(text: string): Document | FileProblem {
  const document = parseDocument(text);
  if (document.errors.length === 0 && (isMap(document.contents) || isNothing(document.contents))) return document;
  return { problem: 'not a map in YAML: `kloset-gateway check-config` shows the problem' };
}

/** A token as written: the text of a hash, or a map with its expiry. */
function keptToken(written: unknown): KeptToken {
  const { sha256, expires } = typeof written === 'string' ? { sha256: written } : recordOf(written);
  return {
    sha256: String(sha256)
      .replace(/^sha256:/, '')
      .toLowerCase(),
    expires: expires === undefined ? undefined : String(expires),
  };
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The map of this name, which is added if there is nothing; undefined if there is something else. */
function mapIn(document: Document, holder: YAMLMap | undefined, name: string): YAMLMap | undefined {
  const found: unknown = holder === undefined ? document.get(name, true) : holder.get(name, true);
  if (isMap(found)) return found;
  if (!isNothing(found)) return undefined;
  const made = document.createNode({});
  made.flow = false;
  if (isScalar(found)) {
    made.comment = found.comment ?? null;
    made.commentBefore = found.commentBefore ?? null;
  }
  if (holder === undefined) document.set(name, made);
  else holder.set(name, made);
  return made;
}

/** Whether a node is empty, and no alias refers to it. */
function isNothing(node: unknown): boolean {
  return node === undefined || node === null || (isScalar(node) && node.value === null && node.anchor === undefined);
}

function byHand(path: string): string {
  return `this command can't change the form that ${path} has: change it by hand`;
}
