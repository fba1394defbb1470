import { groups, oldNames, settingNames, settings } from '../config/definition.js';
import type { Setting } from '../config/setting.js';
import { accessLevels } from '../core/access.js';

/** An option of the command line. */
export interface Option {
  readonly name: string;
  /** Placeholder of the value in the help; none: a switch. */
  readonly value?: string | undefined;
  readonly repeatable?: boolean | undefined;
  /** The setting that this switch turns off; none: it turns on the one with its own name. */
  readonly turnsOff?: string | undefined;
  /** A phrase that says what it is for. */
  readonly help: string;
}

/** Names the configuration file, which can hold all other options. */
export const configOption: Option = {
  name: 'config',
  value: 'FILE',
  help: 'the configuration file, in YAML; it can hold every setting, several stores, and principals',
};

/** When a new token expires. */
export const expiresOption: Option = {
  name: 'expires',
  value: '90d|DATE',
  help: 'when the token expires, as in 90d, 12h or 2027-01-31 (default never)',
};

/** What the principal of a new token may do. */
export const tokenAccessOption: Option = {
  name: 'access',
  value: 'STORE=LEVEL',
  repeatable: true,
  help:
    `grants the principal access to a store, as in teams/blue=append; can be repeated. LEVEL is one of ` +
    `${accessLevels.join(', ')}; LEVEL alone is about the default store, *=LEVEL about all that aren't listed`,
};

/** Names a store of the configuration file. */
export const storeOption: Option = {
  name: 'store',
  value: 'NAME',
  help: 'a store of the configuration file, instead of LOCATION (default: its default store, or its only one)',
};

/** For programs. */
export const jsonOption: Option = { name: 'json', help: 'print one JSON document, for programs' };

/** Without it, a command only shows what it would do. */
export const applyOption: Option = {
  name: 'apply',
  help: 'do it; without this, it is only shown, and nothing changes',
};

/** The moment that a store is taken back to. */
export const asOfOption: Option = { name: 'as-of', value: 'MOMENT', help: 'the moment to take the store back to' };

/** Changes a store that clients seem to be writing to. */
export const despiteLocksOption: Option = {
  name: 'despite-locks',
  help: 'do it although a backup seems to be running: that backup may be damaged',
};

/** Chooses by the time of arrival or deletion. */
export const sinceOption: Option = { name: 'since', value: 'MOMENT', help: 'only what arrived or went since then' };

/** Chooses by the time of deletion. */
export const deletedSinceOption: Option = { name: 'since', value: 'MOMENT', help: 'what was deleted since then' };

/** Ends the time of deletion. */
export const deletedUntilOption: Option = {
  name: 'until',
  value: 'MOMENT',
  help: 'with --since: only what was deleted until then',
};

/** Chooses what was deleted long ago. */
export const beforeOption: Option = { name: 'before', value: 'MOMENT', help: 'what was deleted before then' };

/** Chooses objects. */
export const macOption: Option = {
  name: 'mac',
  value: 'MAC',
  repeatable: true,
  help: 'an object, by its MAC or the first 12 digits of it or more; can be repeated',
};

/** Chooses everything. */
export const allOption: Option = { name: 'all', help: 'everything in the trash' };

/** The options that are settings, in their groups. The location isn't one: on the command line, it is an argument. */
export const optionGroups: readonly { readonly title: string; readonly options: readonly Option[] }[] = groups.map(
  (group) => ({
    title: group.title,
    options: group.settings.filter(({ name, form }) => form !== undefined && name !== 'location').map(optionOf),
  }),
);

/** How to reach the servers of stores, for commands that open one. */
export const serverOptions: readonly Option[] = groups
  .filter(({ title }) => title === 'SSH servers' || title === 'S3 services')
  .flatMap(({ settings: members }) => members.map(optionOf));

/** The options of `serve` and `check-config`. */
export const serveOptions: readonly Option[] = [
  configOption,
  ...optionGroups.flatMap(({ options }) => options),
  // The help doesn't have these.
  ...Object.entries(oldNames).map(([name, current]) => ({ ...optionOf(settings[current]), name })),
];

/** The settings that only the file can hold. */
export const fileOnlyNames: readonly string[] = settingNames.filter((name) => settings[name].form === undefined);

/** The setting that an option sets, also one that turns it off. */
export function settingOf({ name, turnsOff }: Option): string {
  return turnsOff ?? name;
}

function optionOf({ name, form, description, defaultText }: Setting): Option {
  if (form?.off !== undefined) return { name: `no-${name}`, turnsOff: name, help: form.off };
  const standard = defaultText === undefined || defaultText === 'off' ? '' : ` (default ${defaultText})`;
  return { name, value: form?.placeholder, repeatable: form?.isList, help: description + standard };
}
