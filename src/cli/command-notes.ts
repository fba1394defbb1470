import { locationForms, ownLocationForms } from '../backends/backends.js';
import { optionGroups } from './setting-options.js';

/* Paragraphs of the help about commands. */

const byDefault = 'by default $PLAKAR_REPOSITORY or ~/.plakar';

/** How locations are written. */
export const locations = {
  one: `LOCATION is ${locationForms}; ${byDefault}.`,
  /** Where another gateway's stores won't do. */
  own: `LOCATION is ${ownLocationForms}; ${byDefault}.`,
  sourceAndDestination: `SOURCE and DESTINATION are each ${locationForms}.`,
};

export const moment =
  'MOMENT is 2026-11-01T00:00Z, 2026-11-01 (its beginning, in UTC), or 3d, 12h or 90m ago. Times are in UTC.';

export const size = 'SIZE is 512KiB, 4GiB, 2TiB, or a number of bytes.';

const named = '@NAME: the store NAME of the configuration file, with its own S3 settings.';

/** How other copies are written, where that isn't the same as of LOCATION. */
export const others = {
  ofCopy: `SOURCE and DESTINATION can also be ${named}`,
  ofVerify: `The other copy can also be ${named}`,
  ofRepair: `The other copy can also be another gateway's store, grpc[s]://host[:port][/store], or ${named}`,
};

export const undo =
  'You can run this while a gateway serves the store. docs/undo.md says what to do when snapshots are gone.';

export const keep =
  'You can run this while a gateway serves the store. docs/keep.md says how to keep a second copy and mend damage.';

/** The options that don't have the name of their setting. */
const negated = new Intl.ListFormat('en').format(
  optionGroups
    .flatMap(({ options }) => options)
    .flatMap(({ name, turnsOff }) => (turnsOff === undefined ? [] : [`--${name} is ${turnsOff}: false`])),
);

export const settings = [
  'Every option can also be set in the configuration file and in the environment: log-level is --log-level and ' +
    'KLOSET_GATEWAY_LOG_LEVEL. Options override variables, and variables override the file. ' +
    `There, ${negated}.`,
  `TIME is 250ms, 30s, 5m, 1h, or a number of seconds. ${size}`,
  "plakar's spelling of options is accepted too: -listen :9876, -allow-delete.",
];

export const completion = [
  'bash: add `source <(kloset-gateway completion bash)` to ~/.bashrc.',
  'zsh: save the script as _kloset-gateway in a folder of $fpath, or add `source <(kloset-gateway completion zsh)` to ' +
    '~/.zshrc, after compinit.',
  'fish: save the script as ~/.config/fish/completions/kloset-gateway.fish.',
];
