import { z } from 'zod';
import { accessLevels } from '../../core/access.js';
import { setting } from '../setting.js';
import { choice, duration, fields, flag, named, path, text, textForms, webAddress } from '../values.js';

/** For everything that isn't a hash. The value may be a token, so the message never repeats it. */
const notAHash =
  'must be a SHA-256 with 64 hex digits, as in sha256:…; a token itself is not allowed here: ' +
  '`kloset-gateway token create NAME` makes one and shows what to write';

const notADate = 'must be a date, as in 2027-01-31, or 2027-01-31T12:00:00Z';

const certificateForms = 'must be cn:NAME, dns:NAME, uri:URI or email:ADDRESS';

const hash = (pattern: RegExp) =>
  z
    .string(notAHash)
    .regex(pattern, notAHash)
    .transform((written) => written.replace(/^sha256:/, '').toLowerCase());

const writtenHash = hash(/^sha256:[0-9a-fA-F]{64}$/);

const moment = z
  .string(notADate)
  .refine((written) => parseMoment(written) !== undefined, notADate)
  .transform((written) => parseMoment(written) ?? NaN);

const token = z
  .union(
    [
      writtenHash,
      fields({
        sha256: hash(/^(sha256:)?[0-9a-fA-F]{64}$/).describe("the token's SHA-256: 64 hex digits"),
        expires: moment
          .optional()
          .describe(
            'when it expires: 2027-01-31 (at the end of that day, in UTC) or 2027-01-31T12:00:00Z (default: never)',
          ),
      }),
    ],
    notAHash,
  )
  .transform((written) =>
    typeof written === 'string'
      ? { sha256: written, expiresMs: undefined }
      : { sha256: written.sha256, expiresMs: written.expires },
  );

const principal = fields({
  tokens: z
    .array(token, 'must be a list of hashes')
    .optional()
    .describe('hashes of its tokens; an empty list if all are revoked'),
  certificates: z
    .array(z.string(certificateForms).regex(/^(cn|dns|uri|email):./, certificateForms), 'must be a list of names')
    .optional()
    .describe(
      "names in its client certificate, of which one must match: cn:web-1 (the subject's common name), dns:NAME, uri:URI or email:ADDRESS",
    ),
  access: named(choice(accessLevels))
    .optional()
    .describe('its access, by store; "*" stands for all stores that aren\'t listed (default: none)'),
  listeners: z
    .array(text(), 'must be a list of names of listeners')
    .min(1, "can't be empty: remove it to allow all listeners")
    .optional()
    .describe('the names of the listeners that it may use (default: all)'),
  admin: flag()
    .prefault(false)
    .describe('whether it may see the status page, with all stores, and the metrics (default: false)'),
  'expect-backup': named(duration(1000, 400 * 86_400_000))
    .optional()
    .describe(
      "by store: a backup is overdue if it doesn't end within this time after the previous one, as in {teams/blue: 26h}",
    ),
  ping: named(webAddress())
    .optional()
    .describe(
      'by store: a URL that is requested when a backup succeeds; when one starts or fails, with /start or /fail appended',
    ),
});

export type WrittenPrincipal = z.output<typeof principal>;
export type TokenConfig = z.output<typeof token>;

/** Who can log in. */
export const principals = {
  htpasswd: setting(
    'htpasswd',
    path().optional(),
    'a file with names of principals and bcrypt hashes of their passwords, as written by `htpasswd -B`',
  ),
  principals: setting(
    'principals',
    named(principal).optional(),
    'who can log in, by name, and what each may do, as in ' +
      '{web-1: {tokens: ["sha256:…"], access: {teams/blue: append}}}',
  ),
  adminToken: setting(
    'admin-token',
    // Its own form: the hash of a token in the list has none.
    writtenHash.clone().register(textForms, { placeholder: 'HASH', mayBeSecret: true }).optional(),
    'the SHA-256 of a token for the status page and the metrics, as in sha256:…; if it is set, other machines need a login for both',
  ),
};

/** A date (of which the last moment, in UTC, is meant) or a moment with its time zone, in ms since 1970; undefined for anything else. */
export function parseMoment(written: string): number | undefined {
  const [, date, time] =
    /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/.exec(written) ?? [];
  const day = date === undefined ? NaN : Date.parse(`${date}T00:00:00Z`);
  // Date.parse accepts February 31 as March 3.
  if (date === undefined || Number.isNaN(day) || !new Date(day).toISOString().startsWith(date)) return undefined;
  const ms = Date.parse(date + (time ?? 'T23:59:59.999Z'));
  return Number.isNaN(ms) ? undefined : ms;
}
