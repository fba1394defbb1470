import { groups, settings, type SettingName } from '../config/definition.js';
import { defaultText } from '../config/setting.js';

/** An option of the command line. */
export interface Option {
  readonly name: string;
  /** What stands for the value in the help; none: a switch. */
  readonly value?: string;
  readonly repeatable?: boolean;
  /** What it is for, in one line. */
  readonly help: string;
}

/** Names the configuration file, in which every other option can be as well. */
export const configOption: Option = {
  name: 'config',
  value: 'FILE',
  help: 'a file with settings, in YAML; it has every option below, and several stores and principals',
};

/** The options of `token create`. */
export const tokenOptions: readonly Option[] = [
  configOption,
  { name: 'expires', value: '90d|DATE', help: 'when the token ends, as in 90d, 12h or 2027-01-31 (default never)' },
];

/** The options that are settings, in their groups. The location isn't one: it has no name on the command line. */
export const optionGroups: readonly { readonly title: string; readonly options: readonly Option[] }[] = groups.map(
  ({ title, names }) => ({ title, options: names.filter((name) => name !== 'location').map(optionOf) }),
);

/** The options of `serve` and `check-config`, once: the parser, the help and the README's copy of it come from here. */
export const serveOptions: readonly Option[] = [configOption, ...optionGroups.flatMap(({ options }) => options)];

function optionOf(name: SettingName): Option {
  const setting = settings[name];
  const standard = defaultText(setting);
  return {
    name,
    ...(setting.value !== undefined && { value: setting.value }),
    repeatable: setting.form === 'list',
    help: setting.description + (standard === undefined || standard === 'off' ? '' : ` (default ${standard})`),
  };
}
