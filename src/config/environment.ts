import { settingNames, settings as definitions, type SettingName } from './definition.js';
import { suggestion } from './suggestion.js';

/** What all variables of the gateway start with. */
const prefix = 'KLOSET_GATEWAY_';

/** The variable with the configuration file's path, which is no setting. */
export const configVariable = `${prefix}CONFIG`;

/** Variables of that prefix that aren't settings. The token is for another gateway, whose store this one serves. */
const others: ReadonlySet<string> = new Set([configVariable, `${prefix}TOKEN`]);

/** Kubernetes sets these in the pods of a service that is called kloset-gateway. */
const kubernetes =
  /^KLOSET_GATEWAY_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/;

/** The environment variable of a setting: `KLOSET_GATEWAY_LOG_LEVEL` is that of `log-level`. */
export function variableOf(name: SettingName): string {
  return prefix + name.toUpperCase().replaceAll(/[.-]/g, '_');
}

/**
 * The settings in the environment, as text and switches: lists have commas between their items. Empty variables are as if they
 * weren't there. Reports variables that nothing reads, since they are likely misspelled.
 */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): {
  readonly settings: ReadonlyMap<SettingName, string | string[] | boolean>;
  readonly problems: readonly string[];
} {
  const settings = new Map<SettingName, string | string[] | boolean>();
  const problems: string[] = [];
  const byVariable = new Map(settingNames.map((name) => [variableOf(name), name]));
  // The operator may have called it so.
  const passphrase = env[variableOf('ssh-passphrase-env')];
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith(prefix) || value === undefined || value === '') continue;
    const name = byVariable.get(variable);
    if (name !== undefined) {
      const read = readVariable(name, value);
      if (read === undefined) problems.push(`${variable}: it has to be true or false`);
      else settings.set(name, read);
    } else if (!others.has(variable) && variable !== passphrase && !kubernetes.test(variable)) {
      problems.push(`${variable}: there is no such setting${suggestion(variable, byVariable.keys())}`);
    }
  }
  return { settings, problems };
}

function readVariable(name: SettingName, text: string): string | string[] | boolean | undefined {
  const { value, form } = definitions[name];
  if (value === undefined) {
    if (/^(true|yes|on|1)$/i.test(text)) return true;
    return /^(false|no|off|0)$/i.test(text) ? false : undefined;
  }
  return form === 'list' ? text.split(',').map((item) => item.trim()) : text;
}
