import type { z } from 'zod';
import type { Setting } from './setting.js';
import { limits } from './settings/limits.js';
import { listening, tls, v10 } from './settings/network.js';
import { notify } from './settings/notify.js';
import { principals } from './settings/principals.js';
import { running } from './settings/running.js';
import { s3 } from './settings/s3.js';
import { ssh } from './settings/ssh.js';
import { stores } from './settings/stores.js';
import { fields } from './values.js';

/* All settings. The types of a configuration, as it is written and as the program uses it, are derived from them. */

const definitions = { listening, tls, v10, stores, principals, notify, limits, running, ssh, s3 };

type Definitions = typeof definitions;
type Definition = { [G in keyof Definitions]: Definitions[G][keyof Definitions[G]] }[keyof Definitions];
type Output<S> = S extends Setting<string, infer Schema> ? z.output<Schema> : never;

export type SettingName = Definition['name'];

/** The values of the settings, with defaults: in their groups, by the names that the program has for them. */
export type Values = {
  readonly [G in keyof Definitions]: { readonly [F in keyof Definitions[G]]: Output<Definitions[G][F]> };
};

const titles: Readonly<Record<keyof Definitions, string>> = {
  listening: 'Listeners',
  tls: 'TLS',
  v10: 'plakar 1.0',
  stores: 'Stores',
  principals: 'Logins',
  notify: 'Notifications',
  limits: 'Limits',
  running: 'Operation',
  ssh: 'SSH servers',
  s3: 'S3 services',
};

const all = Object.values(definitions).flatMap((group): Setting<SettingName>[] => Object.values(group));

/** All names of settings, in the order of the help. */
export const settingNames = all.map(({ name }) => name);

/** The settings by name. */
export const settings = Object.fromEntries(all.map((each) => [each.name, each])) as Record<
  SettingName,
  Setting<SettingName>
>;

/** The settings as help and docs group them. */
export const groups: readonly { readonly title: string; readonly settings: readonly Setting<SettingName>[] }[] =
  Object.entries(definitions).map(([group, members]) => ({
    title: titles[group as keyof Definitions],
    settings: Object.values(members),
  }));

/** The whole file, which is also what options and variables add up to. */
export const fileSchema = fields(
  Object.fromEntries(all.map(({ name, schema }) => [name, schema])) as { [D in Definition as D['name']]: D['schema'] },
).transform((written) => {
  const valuesOf = (group: Readonly<Record<string, Setting<SettingName>>>): object =>
    mapped(group, ({ name }) => written[name]);
  return mapped(definitions, valuesOf) as Values;
});

/** Names that settings had, which stay valid wherever they are written. */
export const oldNames = { 'metrics-listen': 'admin-listen' } as const satisfies Readonly<Record<string, SettingName>>;

export type OldName = keyof typeof oldNames;

type CurrentSettings = z.input<typeof fileSchema>;

/** Settings as the file has them: nothing is checked, and defaults are missing. */
export type Settings = CurrentSettings & { [N in OldName]?: CurrentSettings[(typeof oldNames)[N]] };

/** Whether there is a setting of this name. */
export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(settings, name);
}

function mapped<T>(object: Readonly<Record<string, T>>, change: (value: T) => unknown): object {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}
