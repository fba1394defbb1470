import type { Damage, VerifyReport } from '../../integrity/verify-report.js';
import { shellWord } from '../../lib/shell-word.js';
import { storeText } from '../../watch/wording.js';

/** How many objects are named at most, and how many are named in the command. */
const maxNamed = 5;
const maxInCommand = 20;

/** A store for people, and its two copies. */
export interface Copies {
  /** The store's name; empty for the default one. */
  readonly name: string;
  /** The locations of the store and of its mirror, if it has one. */
  readonly location: string;
  readonly mirror?: string | undefined;
  /** The gateway's configuration file, which says how the two are opened; undefined: there is none. */
  readonly configFile?: string | undefined;
}

/** What people are told of objects of a store that are damaged: which they are, and the command that mends them. A sentence without its end. */
export function damageText(damaged: readonly Damage[], copies: Copies): string {
  const { name, location, mirror } = copies;
  const what = `${counted(damaged)} of ${storeText(name)} ${damaged.length === 1 ? 'is' : 'are'} damaged: ${named(damaged)}`;
  if (mirror === undefined) {
    const compare = command('verify', location, ['--against', 'LOCATION', ...configOption(copies)]);
    return `${what}. It has no mirror; with another copy, \`${compare}\` says how to mend it`;
  }
  const mended = damaged.filter(({ otherCopy }) => otherCopy === undefined || isGood(otherCopy));
  if (mended.length === 0) {
    const isUnsure = damaged.some(({ otherCopy }) => otherCopy === 'unsure');
    return `${what}. ${isUnsure ? 'Neither copy is known to be right' : `The mirror doesn't have ${pronoun(damaged)} either, or not whole`}`;
  }
  const rest = mended.length < damaged.length ? ', as far as the mirror has them' : '';
  return `${what}. This mends ${pronoun(damaged)}${rest}${repair(mended, location, mirror, copies)}`;
}

/** The same for objects of the mirror, which the store itself may have whole. */
export function mirrorDamageText(damaged: readonly Damage[], copies: Copies): string {
  const { name, location, mirror = '' } = copies;
  const who = `the mirror of ${storeText(name)}`;
  const what = `${counted(damaged)} in ${who} ${damaged.length === 1 ? 'is' : 'are'} damaged: ${named(damaged)}`;
  const mended = damaged.filter(({ otherCopy }) => isGood(otherCopy));
  if (mended.length === 0)
    return `${what}. The store itself has no copy of ${pronoun(damaged)} that is known to be right`;
  const rest = mended.length < damaged.length ? ', as far as the store has them' : '';
  return `${what}. This mends ${pronoun(damaged)}${rest}${repair(mended, mirror, location, copies)}`;
}

/** What people are told of the store's CONFIG and of the segments of its digests, if anything is wrong with these: sentences without their ends. */
export function recordTexts(
  { config, segments }: Pick<VerifyReport, 'config' | 'segments'>,
  { name }: Pick<Copies, 'name'>,
): readonly string[] {
  return [
    ...(config === undefined ? [] : [`the CONFIG of ${storeText(name)} ${config}`]),
    ...segments.map(({ message }) => `the digests of ${storeText(name)} are not what was recorded: ${message}`),
  ];
}

/** Ends a sentence with the command. Through a gateway nothing can be replaced. */
function repair(damaged: readonly Damage[], location: string, from: string, copies: Copies): string {
  const isElsewhere = /^grpcs?:/.test(location);
  const where = isElsewhere
    ? `, on the machine that keeps ${location}, where LOCATION is the copy there and OTHER this one`
    : '';
  const [damagedCopy, good] = isElsewhere ? ['LOCATION', 'OTHER'] : [location, from];
  const macs = damaged.length > maxInCommand ? [] : damaged.flatMap(({ ref: { mac } }) => ['--mac', mac]);
  // Another machine doesn't have this one's file.
  const config = isElsewhere ? [] : configOption(copies);
  return `${where}: \`${command('repair', damagedCopy, ['--from', good, ...config, ...macs, '--apply'])}\``;
}

function configOption({ configFile }: Copies): readonly string[] {
  return configFile === undefined ? [] : ['--config', configFile];
}

function command(name: string, location: string, more: readonly string[]): string {
  return ['kloset-gateway', name, location, ...more].map(shellWord).join(' ');
}

function isGood(otherCopy: Damage['otherCopy']): boolean {
  return otherCopy === 'proven' || otherCopy === 'likely';
}

function counted({ length }: readonly Damage[]): string {
  return length === 1 ? 'an object' : `${length} objects`;
}

function pronoun({ length }: readonly Damage[]): string {
  return length === 1 ? 'it' : 'them';
}

function named(damaged: readonly Damage[]): string {
  const texts = damaged.slice(0, maxNamed).map(({ ref: { kind, mac }, text }) => `${kind} ${mac} ${text}`);
  const more = damaged.length - texts.length;
  return `${texts.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}
