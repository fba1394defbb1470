import { hostname } from 'node:os';
import { formatAddress } from '../core/address.js';
import { isLocalOnly } from './address.js';
import { anonymouslyAccessibleStores, anonymousWritingProblem } from './anonymous-access.js';
import type { Context, Origins } from './checks/context.js';
import { checkListeners, type CheckedListener } from './checks/listeners.js';
import { checkNotify } from './checks/notify.js';
import { checkPrincipals } from './checks/principals.js';
import { checkStores } from './checks/stores.js';
import { checkTls } from './checks/tls.js';
import { fileSchema, isSettingName, settings as definitions, type Settings, type Values } from './definition.js';
import { resolvePath, type Surroundings } from '../lib/paths.js';
import { renamed } from './old-names.js';
import { explain, formatPath, isBelow, without, type Problem } from './problems.js';
import type { Config, SshConfig } from './types.js';

export type { Settings } from './definition.js';
export type { Config } from './types.js';

/**
 * Checks settings and fills in defaults. Reports all problems at once, each a phrase that starts with the setting's name.
 * Pure, except that moments may be relative to now, and that an instance is named after its host.
 */
export function makeConfig(
  settings: Settings,
  surroundings: Surroundings,
): { config: Config } | { problems: string[] } {
  const checked = checkSettings(settings, { originOf: () => undefined, surroundingsOf: () => surroundings });
  if ('config' in checked) return checked;
  return { problems: checked.problems.map(({ path, message }) => `${formatPath(path)}: ${message}`) };
}

/** The same for settings from several origins; problems have their paths in the settings. `written` may be anything. */
export function checkSettings(written: Settings, origins: Origins): { config: Config } | { problems: Problem[] } {
  const { settings: given, problems: ofNames, writtenPath } = renamed(written);
  const problems: Problem[] = [];
  const { values, valid } = parse(withAbsolutePaths(given, origins), problems);
  const context: Context = {
    origins,
    given,
    values,
    isInvalid: (name) => given[name] !== undefined && !Object.hasOwn(valid, name),
    problem: (path, message, options) => problems.push({ path, message, ...options }),
  };
  const listeners = checkListeners(context);
  const config = compose(context, listeners);
  if (!config.noAuth) checkAnonymousWriting(context, config, listeners);
  const all = [...ofNames, ...problems.map((each) => ({ ...each, path: writtenPath(each.path) }))];
  return all.length > 0 ? { problems: all } : { config };
}

/** The settings that were given, with absolute paths. */
function withAbsolutePaths(given: Settings, origins: Origins): object {
  const absolute = (name: string, value: unknown): unknown => {
    if (!isSettingName(name)) return value;
    const { form } = definitions[name];
    if (form?.isPath !== true) return value;
    if (Array.isArray(value)) return value.map((each) => absolute(name, each));
    const isPath = typeof value === 'string' && value !== '' && form.placeholder !== `FILE|${value}`;
    return isPath ? resolvePath(value, origins.surroundingsOf(name)) : value;
  };
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, absolute(name, value)]));
}

/** Parses the valid settings, and reports the invalid ones. */
function parse(given: object, problems: Problem[]): { values: Values; valid: object } {
  let valid = given;
  for (;;) {
    const parsed = fileSchema.safeParse(valid);
    if (parsed.success) return { values: parsed.data, valid };
    const found = explain(parsed.error.issues, valid);
    // Removing an invalid value may leave a map without a required key, which isn't another problem.
    problems.push(...found.filter(({ path }) => !problems.some((known) => isBelow(known.path, path))));
    valid = without(valid, found);
  }
}

function compose(context: Context, checked: readonly CheckedListener[]): Config {
  const { v10, stores, principals, limits, running, ssh } = context.values;
  const listeners = checked.map(({ listener }) => listener);
  const allStores = checkStores(context);
  return {
    ...running,
    instance: running.instance ?? hostname(),
    stores: allStores,
    listeners,
    principals: checkPrincipals(context, listeners, allStores),
    htpasswd: principals.htpasswd,
    adminToken: principals.adminToken,
    notify: checkNotify(context),
    tls: checkTls(context),
    ssh: Object.fromEntries(Object.entries(ssh).filter(([, value]) => value !== undefined)) as SshConfig,
    v10: { enabled: !v10.isDisabled, maxDocumentBytes: v10.maxDocumentBytes },
    durable: stores.durability === 'fsync',
    noAuth: stores.noAuth,
    limits,
  };
}

function checkAnonymousWriting(context: Context, config: Config, listeners: readonly CheckedListener[]): void {
  for (const { listener, path } of listeners) {
    const stores = anonymouslyAccessibleStores(config, listener, 'append');
    if (stores.length === 0 || isLocalOnly(listener.address) !== false) continue;
    context.problem(path, anonymousWritingProblem(formatAddress(listener.address), stores));
  }
}
