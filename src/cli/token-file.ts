import { isMap, isScalar, isSeq, parseDocument, type Document, type YAMLMap } from 'yaml';

/** What the configuration file stores of a token. */
export interface KeptToken {
  /** 64 lower-case hex digits. */
  readonly sha256: string;
  /** When it expires, in the form of the configuration file; undefined: never. */
  readonly expires: string | undefined;
}

/**
 * Adds a token to a principal in a configuration file's text and keeps its comments. A principal that doesn't exist is added, without
 * access to any store. Returns a problem if the text has another form than expected. Pure.
 */
export function addToken(
  text: string,
  principal: string,
  token: KeptToken,
): { readonly text: string; readonly isNew: boolean } | { readonly problem: string } {
  const document = parseDocument(text);
  if (document.errors.length > 0 || !(isMap(document.contents) || isNothing(document.contents))) {
    return { problem: 'not a map in YAML: `kloset-gateway check-config` shows the problem' };
  }
  const principals = mapIn(document, undefined, 'principals');
  if (principals === undefined) return { problem: byHand('principals') };
  const isNew = !principals.has(principal);
  const entry = mapIn(document, principals, principal);
  if (entry === undefined) return { problem: byHand(`principals.${principal}`) };
  if (isNew) entry.set('access', document.createNode({}));
  const tokens = entry.get('tokens', true);
  const { sha256, expires } = token;
  const node = document.createNode({ sha256, ...(expires !== undefined && { expires }) });
  node.flow = true;
  if (isSeq(tokens)) tokens.add(node);
  else if (isNothing(tokens)) entry.set('tokens', document.createNode([node]));
  else return { problem: byHand(`principals.${principal}.tokens`) };
  return { text: document.toString({ lineWidth: 0 }), isNew };
}

/** The YAML to add to a configuration file by hand. */
export function tokenYaml(principal: string, token: KeptToken): string {
  const added = addToken('', principal, token);
  return 'text' in added ? added.text : '';
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
  return `this command can't change the form that ${path} has: add the token by hand`;
}
