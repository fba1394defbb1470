import { z } from 'zod';
import { eventNames, type EventName } from '../../core/event.js';
import { setting } from '../setting.js';
import { suggestion } from '../suggestion.js';
import { fields, path, size, text, webAddress } from '../values.js';
import { parseMailServer } from '../mail-server.js';

/** The events that can be chosen. A test is always sent. */
const choosable = eventNames.filter((name): name is Exclude<EventName, 'test'> => name !== 'test');

const events = z
  .array(
    z.enum(choosable, {
      error: ({ input }) =>
        `unknown event${suggestion(String(input), choosable) || `: there are ${choosable.join(', ')}`}`,
    }),
    'must be a list of events',
  )
  .min(1, "can't be empty: remove it to be told of all")
  .optional()
  .describe(`the events that are sent: a list of ${choosable.join(', ')} (default: all)`);

const notAnAddress = 'must be the address of a mailbox, as in ops@example.org';
const mailbox = z.string(notAnAddress).regex(/^[\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z0-9.-]+$/, notAnAddress);

const webhook = fields({
  url: webAddress().describe('where events are sent: as JSON, by POST'),
  secret: text()
    .optional()
    .describe('the key of the signature in the header x-kloset-gateway-signature (default: none)'),
  'secret-file': path().optional().describe('a file whose first line is the secret, instead of secret'),
  events,
});

const mail = fields({
  server: z
    .string('must be text, as in smtps://mail.example.org')
    .transform((written, context) => {
      const parsed = parseMailServer(written);
      if (!('problem' in parsed)) return parsed;
      context.issues.push({ code: 'custom', message: parsed.problem, input: undefined });
      return z.NEVER;
    })
    .describe(
      'smtps://HOST (TLS from the start; port 465), smtp+starttls://HOST (STARTTLS is required; port 587) or smtp://HOST (STARTTLS if it ' +
        'is offered; port 25); :PORT can follow',
    ),
  user: text().optional().describe('the user name at the server (default: no login)'),
  password: text().optional().describe("the user's password"),
  'password-file': path().optional().describe('a file whose first line is the password, instead of password'),
  from: mailbox.describe("the sender's address"),
  to: z
    .union(
      [mailbox, z.array(mailbox, 'must be a list').min(1, "can't be empty")],
      'must be an address, or a list of addresses',
    )
    .transform((written) => (typeof written === 'string' ? [written] : written))
    .describe("the recipients' addresses"),
  events,
});

const notified = fields({
  webhook: z
    .union([webhook, z.array(webhook)], 'must be a map with a url, or a list of such maps')
    .transform((written) => (Array.isArray(written) ? written : [written]))
    .optional()
    .describe('a service that events are sent to, or a list of several'),
  mail: mail.optional().describe('a mail server and the recipients of mails'),
  'warn-free-space': size()
    .prefault('10GiB')
    .describe(
      "the event disk-nearly-full is sent if less than this is free on a store's disk (default: 10GiB); 0: never",
    ),
});

export type WrittenNotify = z.output<typeof notified>;
export type WrittenWebhook = z.output<typeof webhook>;
export type WrittenMail = z.output<typeof mail>;

/** Who is told of what happens. */
export const notify = {
  notify: setting(
    'notify',
    notified.prefault({}),
    'where events are sent, as in {webhook: {url: https://alerts.example.org/backup}}',
  ),
};
