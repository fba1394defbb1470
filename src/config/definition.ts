import type { z } from 'zod';
import type { Setting } from './setting.js';
import { limits } from './settings/limits.js';
import { network } from './settings/network.js';
import { principals } from './settings/principals.js';
import { running } from './settings/running.js';
import { ssh } from './settings/ssh.js';
import { stores } from './settings/stores.js';
import { fields } from './values.js';

/** Every setting, by its one name, in the order of the help. */
const definitions = { ...network, ...stores, ...principals, ...limits, ...running, ...ssh } as const;

export type SettingName = keyof typeof definitions;

/** The settings' names with their definitions. */
export const settings: Readonly<Record<SettingName, Setting>> = definitions;

/** All names, in the order of the help. */
export const settingNames = Object.keys(definitions) as readonly SettingName[];

/** How help and docs group the settings. */
export const groups: readonly { readonly title: string; readonly names: readonly SettingName[] }[] = [
  { title: 'Listening', settings: network },
  { title: 'Stores', settings: stores },
  { title: 'Who can log in', settings: principals },
  { title: 'Limits', settings: limits },
  { title: 'Running', settings: running },
  { title: 'SSH servers', settings: ssh },
].map(({ title, settings: group }) => ({ title, names: Object.keys(group) as SettingName[] }));

type Shape = { [K in SettingName]: z.ZodOptional<(typeof definitions)[K]['schema']> };

/** The whole file, which is also what flags and variables add up to. */
export const fileSchema = fields(
  Object.fromEntries(
    settingNames.map((name) => [name, definitions[name].schema.optional().describe(definitions[name].description)]),
  ) as Shape,
);

/** Settings as the file has them: nothing checked, nothing filled in. */
export type Settings = z.input<typeof fileSchema>;

/** Settings whose values have their proper types: sizes in bytes, durations in milliseconds. */
export type Values = z.output<typeof fileSchema>;

/** Whether there is a setting of this name. */
export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(definitions, name);
}
