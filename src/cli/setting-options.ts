import { groups, oldNames, settingNames, settings } from '../config/definition.js';
import type { Setting } from '../config/setting.js';
import type { Option } from './option.js';

/* The options that are settings. */

/** The options in their groups. The location isn't one: on the command line, it is an argument. */
export const optionGroups: readonly { readonly title: string; readonly options: readonly Option[] }[] = groups.map(
  (group) => ({
    title: group.title,
    options: group.settings.filter(({ name, form }) => form !== undefined && name !== 'location').map(optionOf),
  }),
);

/** How to reach the servers of stores, for commands that open one. */
export const serverOptions: readonly Option[] = optionGroups
  .filter(({ title }) => title === 'SSH servers' || title === 'S3 services')
  .flatMap(({ options }) => options);

/** All of them, also by their old names. */
export const settingOptions: readonly Option[] = [
  ...optionGroups.flatMap(({ options }) => options),
  ...Object.entries(oldNames).map(([name, current]) => ({ ...optionOf(settings[current]), name, isHidden: true })),
];

/** The settings that only the file can hold. */
export const fileOnlyNames: readonly string[] = settingNames.filter((name) => settings[name].form === undefined);

function optionOf({ name, form, description, defaultText }: Setting): Option {
  if (form?.off !== undefined) return { name: `no-${name}`, turnsOff: name, help: form.off };
  const standard = defaultText === undefined || defaultText === 'off' ? '' : ` (default ${defaultText})`;
  return { name, value: form?.placeholder, repeatable: form?.isList, help: description + standard };
}
