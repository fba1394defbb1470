import type { Access } from '../../core/access.js';
import { canonicalCertificateName } from '../../core/caller.js';
import type { Values } from '../definition.js';
import type { Path } from '../problems.js';
import { suggestion } from '../suggestion.js';
import type { ListenerConfig, PrincipalConfig, TokenConfig } from '../types.js';
import { givenNames, isBroken, type Context } from './context.js';

type Written = NonNullable<Values['principals']>[string];

/** What logs call those who don't log in. */
const reserved = 'anonymous';

/** Why a text can't be a principal's name; undefined where it can. Logs, HTTP's Basic and htpasswd files have to be able to carry it. */
export function principalNameProblem(name: string): string | undefined {
  if (name === reserved) return "logs call those so who don't log in: use another name";
  if (/^[^\s:\p{C}]{1,200}$/u.test(name) && name !== '__proto__') return undefined;
  return "a principal's name has 1 to 200 characters, without colons, spaces and control characters";
}

/** Who can log in. */
export function checkPrincipals(context: Context, listeners: readonly ListenerConfig[]): PrincipalConfig[] {
  const proofs = new Map<string, string>();
  return Object.entries(context.values.principals ?? {}).map(([name, written]) => {
    const path = ['principals', name];
    const problem = principalNameProblem(name);
    if (problem !== undefined) context.problem(path, problem, { atKey: true });
    checkProofs(context, path, written, proofs);
    for (const store of Object.keys(written.access ?? {})) checkStore(context, path, store);
    for (const [i, listener] of (written.listeners ?? []).entries()) {
      checkListener(context, [...path, 'listeners', i], listener, listeners);
    }
    return {
      name,
      tokens: (written.tokens ?? []).map(toToken),
      certificates: written.certificates ?? [],
      access: new Map<string, Access>(Object.entries(written.access ?? {})),
      listeners: written.listeners && new Set(written.listeners),
    };
  });
}

function toToken(token: NonNullable<Written['tokens']>[number]): TokenConfig {
  return typeof token === 'string'
    ? { sha256: token, expiresMs: undefined }
    : { sha256: token.sha256, expiresMs: token.expires };
}

/** Each principal needs something to log in with, which nobody else has. */
function checkProofs(context: Context, path: Path, written: Written, proofs: Map<string, string>): void {
  const name = String(path[1]);
  const claim = (proof: string, at: Path, what: string): void => {
    const owner = proofs.get(proof);
    if (owner !== undefined) {
      context.problem(
        at,
        `${owner === name ? 'it has this twice' : `${owner} has this ${what}, too: each needs its own`}`,
      );
    }
    proofs.set(proof, name);
  };
  const { tokens = [], certificates = [] } = written;
  tokens.forEach((token, i) => claim(`token ${toToken(token).sha256}`, [...path, 'tokens', i], 'token'));
  certificates.forEach((each, i) =>
    claim(`certificate ${canonicalCertificateName(each)}`, [...path, 'certificates', i], 'certificate'),
  );
  if (certificates.length > 0 && context.given['client-ca'] === undefined) {
    context.problem([...path, 'certificates'], 'no client certificate is trusted: give a client-ca');
  }
  // A list with something wrong in it is left out, and may be what it logs in with.
  const given = context.given.principals?.[name];
  const isBroken = (['tokens', 'certificates'] as const).some((key) => given?.[key] !== undefined && !written[key]);
  if (isBroken) return;
  if (tokens.length === 0 && certificates.length === 0 && context.given.htpasswd === undefined) {
    context.problem(
      path,
      `it has no way to log in: run \`kloset-gateway token create ${name}\`, or name its certificates`,
      {
        atKey: true,
      },
    );
  }
}

function checkStore(context: Context, path: Path, store: string): void {
  const names = storeNames(context);
  if (store === '*' || names === undefined || names.includes(store)) return;
  const others = names.map((name) => (name === '' ? '""' : name)).join(', ');
  context.problem(
    [...path, 'access', store],
    `there is no store of this name${suggestion(store, names) || `, only ${others}`}`,
    {
      atKey: true,
    },
  );
}

/** The names of all stores, also of those with something wrong; undefined where they can't be told. */
function storeNames(context: Context): string[] | undefined {
  const { given, values } = context;
  if (isBroken(context, 'stores')) return undefined;
  const names = givenNames(context, 'stores');
  const hasDefault = given.stores === undefined || given.location !== undefined || values.sample === true;
  return hasDefault && !names.includes('') ? ['', ...names] : names;
}

function checkListener(context: Context, path: Path, name: string, listeners: readonly ListenerConfig[]): void {
  if ((['listen', 'grpc-listen', 'metrics-listen'] as const).some((each) => isBroken(context, each))) return;
  const names = listeners.filter(({ protocol }) => protocol !== 'metrics').map((each) => each.name);
  if (names.includes(name)) return;
  const hint = suggestion(name, names) || `, only ${names.join(', ')}`;
  context.problem(path, `there is no listener of this name${hint}`);
}
