import { z } from 'zod';
import { accessLevels } from '../../core/access.js';
import { setting } from '../setting.js';
import { choice, fields, named, text } from '../values.js';

/** Said of whatever isn't a hash. It may be a token, so it is never repeated. */
const notAHash =
  'it has to be a SHA-256 with 64 hex digits, as in sha256:…; a token itself has no place here: ' +
  '`kloset-gateway token create NAME` makes one and shows what to write';

const hash = (pattern: RegExp) => z.string(notAHash).regex(pattern, notAHash).transform(hexDigits);

const moment = z
  .string('it has to be a date, as in 2027-01-31, or 2027-01-31T12:00:00Z')
  .refine(
    (written) => parseMoment(written) !== undefined,
    'it has to be a date, as in 2027-01-31, or 2027-01-31T12:00:00Z',
  )
  .transform((written) => parseMoment(written) ?? NaN);

const token = z.union(
  [
    hash(/^sha256:[0-9a-fA-F]{64}$/),
    fields({
      sha256: hash(/^(sha256:)?[0-9a-fA-F]{64}$/).describe("the token's SHA-256: 64 hex digits"),
      expires: moment
        .optional()
        .describe(
          'when it ends: 2027-01-31 (with the end of that day, in UTC) or 2027-01-31T12:00:00Z (default: never)',
        ),
    }),
  ],
  notAHash,
);

const certificateForms = 'it has to be cn:NAME, dns:NAME, uri:URI or email:ADDRESS';

const principal = fields({
  tokens: z
    .array(token, 'it has to be a list of hashes')
    .optional()
    .describe('hashes of the tokens it may log in with'),
  certificates: z
    .array(z.string(certificateForms).regex(/^(cn|dns|uri|email):./, certificateForms), 'it has to be a list of names')
    .optional()
    .describe(
      "names in client certificates, as in cn:web-1 (the subject's) or dns:web-1.example.org: one of them is enough",
    ),
  access: named(choice(accessLevels))
    .optional()
    .describe('what it may do, by the name of the store; "*" is for every store that isn\'t named (default: none)'),
  listeners: z
    .array(text(), 'it has to be a list of names of listeners')
    .min(1, 'it is empty: leave it out to allow all of them')
    .optional()
    .describe('the names of the listeners that it may use (default: all)'),
});

/** Who can log in. */
export const principals = {
  htpasswd: setting({
    schema: text(),
    value: 'FILE',
    description: 'names of principals with bcrypt hashes of their passwords, as `htpasswd -B` writes them',
  }),
  principals: setting({
    schema: named(principal),
    value: 'YAML',
    form: 'yaml',
    description:
      'who can log in, by name, and what each may do, as in ' +
      '{web-1: {tokens: ["sha256:…"], access: {teams/blue: append}}}; best in a file',
  }),
} as const;

function hexDigits(text: string): string {
  return text.replace(/^sha256:/, '').toLowerCase();
}

/** A date (whose last moment, in UTC, is meant) or a moment with its zone, in milliseconds since 1970; undefined for else. */
export function parseMoment(written: string): number | undefined {
  const [, date, time] =
    /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/.exec(written) ?? [];
  const day = date === undefined ? NaN : Date.parse(`${date}T00:00:00Z`);
  // Date.parse takes the 31st of February for the 3rd of March.
  if (date === undefined || Number.isNaN(day) || !new Date(day).toISOString().startsWith(date)) return undefined;
  const ms = Date.parse(date + (time ?? 'T23:59:59.999Z'));
  return Number.isNaN(ms) ? undefined : ms;
}
