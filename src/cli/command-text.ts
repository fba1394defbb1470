import { shellWord } from '../lib/shell-word.js';
import type { StoreArgument } from './command-types.js';

/** A command line about a store, to be typed: the command's name, the store as it was named before, and what follows. */
export function commandText(
  { flags, configPath, store }: StoreArgument,
  name: string,
  more: readonly string[] = [],
): string {
  const { location, ...options } = flags;
  const words = [
    ...(typeof location === 'string' ? [location] : []),
    ...(configPath === undefined ? [] : ['--config', configPath]),
    ...(store === undefined ? [] : ['--store', store]),
    ...Object.entries(options).flatMap(([option, value]) =>
      typeof value === 'boolean' ? [`--${option}=${value}`] : [value].flat().flatMap((each) => [`--${option}`, each]),
    ),
    ...more,
  ];
  return ['kloset-gateway', ...name.split(' '), ...words.map(shellWord)].join(' ');
}
