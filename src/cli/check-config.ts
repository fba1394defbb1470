import { readHtpasswd } from '../auth/htpasswd-file.js';
import { loadConfig, type Loaded, type SettingSources } from '../config/load.js';
import { settingNames, settings as definitions } from '../config/definition.js';
import { formatSize } from '../config/values.js';
import { formatAddress } from '../core/address.js';
import { formatLocation } from '../backends/backends.js';
import type { Config, ListenerConfig, PrincipalConfig, StoreConfig, TokenConfig } from '../config/types.js';
import { TlsCredentials } from '../net/tls-credentials.js';
import { columns } from './columns.js';
import { printed, refused, type Outcome } from './outcome.js';

/** Settings with a paragraph of their own. */
const summarized: ReadonlySet<string> = new Set(['listen', 'grpc-listen', 'metrics-listen', 'stores', 'principals']);

/**
 * Checks settings as `serve` does, and the files that they name, and prints the resulting configuration without secrets.
 *
 * @param usageProblems problems with the command line, to be reported with the others
 */
export async function checkConfig(from: SettingSources, usageProblems: readonly string[] = []): Promise<Outcome> {
  const loaded = await loadConfig(from);
  const problems = [...usageProblems, ...('problems' in loaded ? loaded.problems : [])];
  if ('problems' in loaded || problems.length > 0) return refused(problems);
  const unusable = await namedFilesProblems(loaded.config);
  if (unusable.length > 0) return refused(unusable, 1);
  return printed(summary(loaded), loaded.warnings.map((warning) => `warning: ${warning}\n`).join(''));
}

/** Problems with the files that a configuration names: certificates, keys, passwords. They are read in the same way as by `serve`. */
async function namedFilesProblems({ htpasswd, tls }: Config): Promise<string[]> {
  const read = [htpasswd && readHtpasswd(htpasswd), tls && TlsCredentials.load(tls)];
  const results = await Promise.allSettled(read);
  return results.flatMap((each) =>
    each.status === 'rejected' ? String((each.reason as Error).message).split('\n') : [],
  );
}

function summary(loaded: Loaded): string {
  const { config, configFiles } = loaded;
  const paragraphs = {
    Listeners: config.listeners.map(listenerRow),
    Stores: [...config.stores].map(storeRow),
    Principals: config.principals.map(principalRow),
    'Other settings': settingRows(loaded),
  };
  const texts = Object.entries(paragraphs)
    .filter(([, rows]) => rows.length > 0)
    .map(([title, rows]) => `\n${title}:\n${columns(rows)}`);
  return `OK: ${configFiles.join(', ') || 'no configuration file'}\n${texts.join('')}`;
}

function listenerRow(listener: ListenerConfig): string[] {
  const { name, protocol, address, maxAccess, tls, mode, owner } = listener;
  const written = formatAddress(address);
  const extras = [
    name === written ? '' : `name ${name}`,
    tls ? 'TLS' : '',
    maxAccess === 'full' || protocol === 'metrics' ? '' : `at most ${maxAccess}`,
    mode === undefined ? '' : `mode ${mode.toString(8).padStart(4, '0')}`,
    owner === undefined ? '' : `owner ${owner.user ?? ''}${owner.group === undefined ? '' : `:${owner.group}`}`,
  ];
  return [{ http: 'HTTP', grpc: 'gRPC', metrics: 'metrics' }[protocol], written, list(extras)];
}

function storeRow([name, { location, anonymous, quotaBytes }]: [string, StoreConfig]): string[] {
  const where = location === 'sample' ? 'the sample store' : formatLocation(location);
  const quota = quotaBytes === undefined ? '' : `quota ${formatSize(quotaBytes)}`;
  return [name === '' ? '(default)' : name, where, list([`anonymous: ${anonymous}`, quota])];
}

function principalRow({ name, tokens, certificates, access, listeners }: PrincipalConfig): string[] {
  const proofs = [...tokens.map(tokenText), ...certificates];
  if (proofs.length === 0) proofs.push('no token');
  const levels = [...access].map(([store, level]) => `${store === '' ? '(default)' : store}: ${level}`);
  if (levels.length === 0) levels.push('no access');
  const through = listeners === undefined ? '' : `through ${[...listeners].join(', ')}`;
  return [name, list(proofs), list(levels), through];
}

function tokenText({ expiresMs }: TokenConfig): string {
  return expiresMs === undefined ? 'token' : `token until ${new Date(expiresMs).toISOString().slice(0, 19)}Z`;
}

/** The value of each other setting, and its origin. */
function settingRows({ sources }: Loaded): string[][] {
  const { settings } = sources;
  return settingNames
    .filter((name) => !summarized.has(name))
    .flatMap((name) => {
      const origin = sources.originOf(name);
      const value = origin === undefined ? definitions[name].defaultText : settings[name];
      if (value === undefined || name === 'location') return [];
      const from = { flag: 'option', variable: 'environment', file: 'file' };
      return [
        [name, Array.isArray(value) ? value.join(', ') : String(value), origin === undefined ? '' : from[origin]],
      ];
    });
}

function list(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(', ');
}
