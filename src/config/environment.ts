import { oldNames, settingNames, settings as definitions, type OldName, type SettingName } from './definition.js';
import type { TextSettings } from './sources.js';
import { currentName } from './old-names.js';
import { suggestion } from './suggestion.js';

/** The prefix of all variables of the gateway. */
const prefix = 'KLOSET_GATEWAY_';

/** The variable with the path of the configuration file, which isn't a setting. */
export const configVariable = `${prefix}CONFIG`;

/** Variables that aren't settings. The token is for another gateway whose store this one serves. */
const others: ReadonlySet<string> = new Set([configVariable, `${prefix}TOKEN`]);

/** The problem with a map that isn't in the file. */
export const fileOnlyProblem = 'can only be set in a configuration file, which --config FILE names';

/** Variables that Kubernetes sets in pods if there is a service called kloset-gateway. */
const kubernetes =
  /^KLOSET_GATEWAY_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/;

/** The environment variable of a setting: `KLOSET_GATEWAY_LOG_LEVEL` for `log-level`. */
export function variableOf(name: string): string {
  return prefix + name.toUpperCase().replaceAll(/[.-]/g, '_');
}

/**
 * Reads the settings in the environment. The items of lists are separated by commas; empty variables are ignored. Unknown variables
 * are reported, since they are probably misspelled.
 */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): {
  readonly settings: TextSettings;
  readonly problems: readonly string[];
} {
  const settings: TextSettings = {};
  const problems: string[] = [];
  const old = Object.keys(oldNames) as OldName[];
  const byVariable = new Map([...settingNames, ...old].map((name) => [variableOf(name), name]));
  // The name of this one is up to the operator.
  const passphrase = env[variableOf('ssh-passphrase-env')];
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith(prefix) || value === undefined || value === '') continue;
    const name = byVariable.get(variable);
    if (name !== undefined) {
      const read = readVariable(name, value);
      if (typeof read === 'object' && 'problem' in read) problems.push(`${variable}: ${read.problem}`);
      else settings[name] = read;
    } else if (!others.has(variable) && variable !== passphrase && !kubernetes.test(variable)) {
      problems.push(`${variable}: unknown setting${suggestion(variable, byVariable.keys())}`);
    }
  }
  return { settings, problems };
}

function readVariable(
  name: SettingName | OldName,
  text: string,
): string | string[] | boolean | { readonly problem: string } {
  const { form } = definitions[currentName(name)];
  if (form === undefined) return { problem: fileOnlyProblem };
  if (form.placeholder === undefined) {
    if (/^(true|yes|on|1)$/i.test(text)) return true;
    return /^(false|no|off|0)$/i.test(text) ? false : { problem: 'must be true or false' };
  }
  return form.isList === true ? text.split(',').map((item) => item.trim()) : text;
}
