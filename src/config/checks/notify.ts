import { eventNames, type EventName } from '../../core/event.js';
import { resolvePath } from '../../lib/paths.js';
import type { Path } from '../problems.js';
import type { WrittenMail } from '../settings/notify.js';
import type { MailConfig, NotifyConfig, Secret } from '../types.js';
import type { Context } from './context.js';

/** Checks who is told of events. */
export function checkNotify(context: Context): NotifyConfig {
  const { webhook = [], mail, 'warn-free-space': warnFreeBytes } = context.values.notify.notify;
  const isList = Array.isArray(context.given.notify?.webhook);
  return {
    webhooks: webhook.map(({ url, events, ...written }, i) => {
      const path = ['notify', 'webhook', ...(isList ? [i] : [])];
      return { url, events: chosen(events), secret: checkSecret(context, path, written, 'secret') };
    }),
    mail: mail && checkMail(context, mail),
    warnFreeBytes,
  };
}

function checkMail(context: Context, { server, user, from, to, events, ...written }: WrittenMail): MailConfig {
  const path = ['notify', 'mail'];
  const password = checkSecret(context, path, written, 'password');
  // An invalid one is missing from what is checked here.
  const given = context.given.notify?.mail ?? {};
  const isGiven = 'password' in given || 'password-file' in given;
  if (user !== undefined && !isGiven) {
    context.problem([...path, 'user'], 'a user needs a password: set password-file, or password');
  }
  if (!('user' in given) && isGiven) context.problem(path, 'a password needs a user: set user', { atKey: true });
  return { ...server, user, password, from, to, events: chosen(events) };
}

/** The secret `key`, or the file that `key`-file names: not both. */
function checkSecret<Key extends 'secret' | 'password'>(
  context: Context,
  path: Path,
  written: Readonly<Partial<Record<Key | `${Key}-file`, string | undefined>>>,
  key: Key,
): Secret | undefined {
  const value: string | undefined = written[key];
  const file: string | undefined = written[`${key}-file`];
  if (value !== undefined && file !== undefined) {
    context.problem([...path, `${key}-file`], `there is a ${key} as well: remove one of them`);
  }
  if (file !== undefined) return { file: resolvePath(file, context.origins.surroundingsOf('notify')) };
  return value === undefined ? undefined : { value };
}

function chosen(events: readonly EventName[] = eventNames): ReadonlySet<EventName> {
  return new Set([...events, 'test']);
}
