import { groups, settingNames, settings } from '../config/definition.js';
import type { Setting } from '../config/setting.js';
import { accessLevels } from '../core/access.js';

/** An option of the command line. */
export interface Option {
  readonly name: string;
  /** Placeholder of the value in the help; none: a switch. */
  readonly value?: string | undefined;
  readonly repeatable?: boolean | undefined;
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

/** The options that are settings, in their groups. The location isn't one: on the command line, it is an argument. */
export const optionGroups: readonly { readonly title: string; readonly options: readonly Option[] }[] = groups.map(
  (group) => ({
    title: group.title,
    options: group.settings.filter(({ name, form }) => form !== undefined && name !== 'location').map(optionOf),
  }),
);

/** The options of `serve` and `check-config`. */
export const serveOptions: readonly Option[] = [configOption, ...optionGroups.flatMap(({ options }) => options)];

/** The settings that only the file can hold. */
export const fileOnlyNames: readonly string[] = settingNames.filter((name) => settings[name].form === undefined);

function optionOf({ name, form, description, defaultText }: Setting): Option {
  const standard = defaultText === undefined || defaultText === 'off' ? '' : ` (default ${defaultText})`;
  return { name, value: form?.placeholder, repeatable: form?.isList, help: description + standard };
}
