import { isWhole, type Damage, type VerifyReport } from '../integrity/verify-report.js';
import type { StoreArgument, VerifyCommand } from './command-types.js';
import { columns } from './columns.js';
import { commandText } from './command-text.js';
import {
  checkedText,
  configAdvice,
  copiesAdvice,
  damageJson,
  damageTable,
  isMendable,
  namesOf,
  objectsText,
} from './damage-text.js';
import { jsonText } from './object-text.js';
import { printed, type Outcome } from './outcome.js';
import type { StoreSubject } from './store-command.js';

/** What `verify` says, and how it ends. */
export function verifiedOutcome(
  report: VerifyReport,
  command: VerifyCommand,
  subject: StoreSubject,
  other: StoreSubject | undefined,
): Outcome {
  const text = command.json
    ? jsonText(document(report, command, subject, other))
    : textOf(report, command, subject, other);
  return { ...printed(text), exitCode: isWhole(report) ? 0 : 1 };
}

function document(
  report: VerifyReport,
  command: VerifyCommand,
  { title }: StoreSubject,
  other: StoreSubject | undefined,
): object {
  const { damaged, otherDamaged, proofs, namedOnlyThere, ...rest } = report;
  const { 'other copy': otherCopy, ...alone } = proofs;
  return {
    store: title,
    against: other?.title,
    whole: isWhole(report),
    ...rest,
    proofs: { ...alone, otherCopy },
    damaged: damaged.map(damageJson),
    otherDamaged: otherDamaged.map(damageJson),
    namedOnlyThere: namedOnlyThere.map(({ kind, mac }) => ({ kind, mac })),
    copy: namedOnlyThere.length > 0 ? copyText(command) : undefined,
    repair: damaged.some(isMendable) ? repairText(command, namesOf(damaged.filter(isMendable))) : undefined,
  };
}

function textOf(
  report: VerifyReport,
  command: VerifyCommand,
  { title }: StoreSubject,
  other: StoreSubject | undefined,
): string {
  const { damaged, otherDamaged, segments, config, namedOnlyThere } = report;
  const parts = [
    config === undefined ? '' : `${title}: its CONFIG ${config}\n`,
    damaged.length === 0
      ? `${title}: ${config === undefined ? 'nothing' : 'no object'} is damaged\n`
      : `${title}: ${damageHead(damaged)}\n${damageTable(damaged)}`,
    otherDamaged.length === 0 ? '' : `${other?.title ?? ''}: ${damageHead(otherDamaged)}\n${damageTable(otherDamaged)}`,
    namedOnlyThere.length === 0 ? '' : onlyThereTable(report),
    segments.map(({ message }) => `warning: ${message}\n`).join(''),
    checkedText(report),
    adviceFor(report, command).join(''),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function damageHead(damaged: readonly Damage[]): string {
  return damaged.length === 1 ? '1 object is damaged:' : `${damaged.length} objects are damaged:`;
}

/** What only the other copy has. */
function onlyThereTable({ onlyThere, namedOnlyThere }: VerifyReport): string {
  const count = onlyThere.packfile + onlyThere.state;
  const more = count > namedOnlyThere.length ? `and ${count - namedOnlyThere.length} more\n` : '';
  const table = columns(namedOnlyThere.map(({ kind, mac }) => [kind, mac]));
  return `${objectsText(count)} only in the other copy:\n${table}${more}`;
}

/** What to do, a line for each thing. */
function adviceFor(report: VerifyReport, command: VerifyCommand): string[] {
  const { damaged, otherDamaged, namedOnlyThere, proofs, segments, config } = report;
  const mendable = damaged.filter(isMendable);
  const unsure = damaged.filter(({ otherCopy }) => otherCopy === 'unsure');
  const lost = damaged.filter(({ otherCopy }) => otherCopy === 'bad' || otherCopy === 'missing');
  const isAlone = command.against === undefined;
  const advice: readonly (readonly [boolean, () => string])[] = [
    [
      mendable.length > 0,
      () =>
        `To replace ${objectsText(mendable.length)} with the other copy's: ${repairText(command, namesOf(mendable))}`,
    ],
    [
      otherDamaged.some(isMendable),
      () => `To mend the other copy, where it is kept: ${mendingThere(otherDamaged, command)}`,
    ],
    [
      unsure.length > 0,
      () => `Nothing here tells which copy is right of ${objectsText(unsure.length)}. ${copiesAdvice}.`,
    ],
    [
      lost.length > 0,
      () =>
        `No good copy is known of ${objectsText(lost.length)}: \`plakar ls\` and \`plakar check\`, with an empty cache, may show what needs them.`,
    ],
    [
      isAlone && damaged.length > 0,
      () => `To mend them from another copy of the store: ${repairText(command, namesOf(damaged))}`,
    ],
    [
      damaged.some(({ problem }) => problem === 'missing'),
      () => `If the missing objects were deleted on purpose: ${commandText(command, 'verify', ['--accept-missing'])}`,
    ],
    [config !== undefined, () => configAdvice],
    [
      segments.length > 0,
      () => 'Digests that were changed or removed: by someone with access to the store, or by its disk.',
    ],
    [
      namedOnlyThere.length > 0,
      () =>
        'What only the other copy has was deleted here after it was copied, or lost before digests were recorded. If it was lost, this brings all of it back: ' +
        copyText(command),
    ],
    [
      proofs.header > 0 && !command.record,
      () =>
        'Where only the start could be checked, the store is encrypted and has no digest: `verify --record` records those of what is there.',
    ],
  ];
  return advice.filter(([applies]) => applies).map(([, line]) => `${line()}\n`);
}

/** The command that mends the other copy with objects of this one. */
function mendingThere(damaged: readonly Damage[], command: VerifyCommand): string {
  const names = namesOf(damaged.filter(isMendable));
  return commandText(command.against ?? command, 'repair', [
    '--from',
    typedAs(command, 'LOCATION'),
    ...names,
    '--apply',
  ]);
}

/** The command that brings back what only the other copy has. */
function copyText(command: VerifyCommand): string {
  const { configPath } = command;
  const flags = Object.fromEntries(Object.entries(command.flags).filter(([name]) => name !== 'location'));
  const places = [typedAs(command.against, 'OTHER-LOCATION'), typedAs(command, 'LOCATION')];
  return commandText({ flags, configPath, store: undefined }, 'copy', places);
}

/** The command that replaces objects with those of the other copy. */
function repairText(command: VerifyCommand, names: readonly string[]): string {
  return commandText(command, 'repair', ['--from', typedAs(command.against, 'OTHER-LOCATION'), ...names, '--apply']);
}

/** A store as an option names it. @param otherwise stands for one that wasn't named */
function typedAs(argument: StoreArgument | undefined, otherwise: string): string {
  const location = argument?.flags.location;
  if (typeof location === 'string') return location;
  return argument?.store === undefined ? otherwise : `@${argument.store}`;
}
