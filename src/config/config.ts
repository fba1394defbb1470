import { formatAddress } from '../core/address.js';
import { isLocalOnly } from './address.js';
import { checkListeners, type PlacedListener } from './checks/listeners.js';
import type { Context, Origins } from './checks/context.js';
import { limitsOf, sshOf } from './checks/plain.js';
import { checkPrincipals } from './checks/principals.js';
import { checkStores } from './checks/stores.js';
import { checkTls } from './checks/tls.js';
import { fileSchema, settingNames, settings as definitions, type Settings, type Values } from './definition.js';
import { openStores, openWritingProblem } from './open.js';
import { resolvePath, type Surroundings } from './paths.js';
import { explain, formatPath, without, type Problem } from './problems.js';
import type { Config, ListenerConfig } from './types.js';

export type { Settings } from './definition.js';
export type { Config } from './types.js';

/**
 * Checks settings and fills in what they leave open. Reports every problem at once, each a sentence for a person that starts with
 * the setting's name. Pure.
 */
export function makeConfig(
  settings: Settings,
  surroundings: Surroundings,
): { config: Config } | { problems: string[] } {
  const checked = checkSettings(settings, { originOf: () => undefined, surroundingsOf: () => surroundings });
  if ('config' in checked) return checked;
  return { problems: checked.problems.map(({ path, message }) => `${formatPath(path)}: ${message}`) };
}

/** The same for settings from several places, with the problems' places in them. Nothing needs to be right about `given`. */
export function checkSettings(given: Settings, origins: Origins): { config: Config } | { problems: Problem[] } {
  const problems: Problem[] = [];
  const context: Context = {
    origins,
    given,
    values: parse(given, problems),
    problem: (path, message, options) => problems.push({ path, message, ...options }),
  };
  const placed = checkListeners(context);
  const config = makeUp(
    context,
    placed.map(({ listener }) => listener),
  );
  if (!config.noAuth) checkOpenWriting(context, config, placed);
  return problems.length > 0 ? { problems } : { config };
}

/** Values of their proper types, with the defaults. What is wrong is reported, and left out. */
function parse(given: Settings, problems: Problem[]): Values {
  let rest: unknown = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  for (;;) {
    const parsed = fileSchema.safeParse({ ...missingDefaults(given), ...(rest as Settings) });
    if (parsed.success) return parsed.data;
    const found = explain(parsed.error.issues, rest);
    problems.push(...found);
    rest = without(rest, found);
  }
}

/** Defaults of what isn't given, rightly or wrongly. */
function missingDefaults(given: Settings): Settings {
  return Object.fromEntries(
    settingNames
      .filter((name) => given[name] === undefined && definitions[name].default !== undefined)
      .map((name) => [name, definitions[name].default]),
  );
}

function makeUp(context: Context, listeners: readonly ListenerConfig[]): Config {
  const { values, origins } = context;
  const file = (name: 'htpasswd' | 'audit-log'): string | undefined => {
    const { [name]: path } = values;
    return path === undefined ? undefined : resolvePath(path, origins.surroundingsOf(name));
  };
  return {
    stores: checkStores(context),
    listeners,
    principals: checkPrincipals(context, listeners),
    htpasswd: file('htpasswd'),
    tls: checkTls(context),
    ssh: sshOf(context),
    v10: { enabled: values['no-http-v1.0'] !== true, maxDocumentBytes: values['http-v1.0-limit'] ?? 0 },
    durable: values.durability !== 'none',
    noAuth: values['no-auth'] === true,
    limits: limitsOf(context),
    drainMs: values['drain-timeout'] ?? 0,
    workers: values.workers,
    auditLog: file('audit-log'),
    logLevel: values['log-level'] ?? 'info',
    logFormat: values['log-format'],
  };
}

function checkOpenWriting(context: Context, config: Config, placed: readonly PlacedListener[]): void {
  for (const { listener, path } of placed) {
    const stores = openStores(config, listener, 'append');
    if (stores.length === 0 || isLocalOnly(listener.address) !== false) continue;
    context.problem(path, openWritingProblem(formatAddress(listener.address), stores));
  }
}
