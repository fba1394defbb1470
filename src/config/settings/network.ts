import { z } from 'zod';
import { accessLevels } from '../../core/access.js';
import { setting } from '../setting.js';
import { choice, fields, flag, path, size, text, textForms } from '../values.js';

export const addressForms = 'host:port, [v6]:port, :port, unix:/path, systemd or systemd:NAME';

const address = text().describe(
  'where to listen: host:port, [v6]:port, :port (all addresses of the machine), unix:/path, systemd or systemd:NAME',
);

const common = {
  address,
  name: text().optional().describe("the listener's name, for principals and logs (default: its address as written)"),
  tls: flag().optional().describe('use TLS (default: true if there is a cert, except for unix:/path and admin-listen)'),
  mode: z
    .string('must be permissions in quotes, as in "0660"')
    .regex(/^0?[0-7]{3}$/, 'must be permissions in octal digits, as in "0660"')
    .transform((digits) => Number.parseInt(digits, 8))
    .optional()
    .describe('permissions of the unix socket, in quotes, as in "0660"'),
  owner: z
    .string('must be text, as in "root:backup"')
    .regex(/^(?=.)[A-Za-z0-9._-]*(:[A-Za-z0-9._-]+)?$/, 'must be USER, USER:GROUP or :GROUP, by name or number')
    .transform(parseOwner)
    .optional()
    .describe('owner of the unix socket: USER, USER:GROUP or :GROUP, by name or number'),
};

const storeListener = fields({
  ...common,
  'max-access': choice(accessLevels)
    .optional()
    .describe('the highest access that any caller gets here (default: full)'),
});

/** A listener in the form of a map. */
export type WrittenListener = z.output<typeof storeListener>;

/** A listener, a list of them, or off. */
function listeners<T extends z.ZodType>(listener: T) {
  const one = z.union([address, listener], `must be an address (${addressForms}) or a map with an address`);
  const schema = z.union(
    [address, listener, z.array(one)],
    `must be an address (${addressForms}), a list of addresses, or off`,
  );
  textForms.add(schema, { placeholder: 'ADDR', isList: true });
  return schema;
}

/** Where to listen, by what is spoken there. */
export const listening = {
  http: setting(
    'listen',
    listeners(storeListener).prefault(['localhost:9876']),
    'addresses for HTTP: host:port, [v6]:port, :port, unix:/path, systemd[:NAME], or off; repeatable',
  ),
  grpc: setting(
    'grpc-listen',
    listeners(storeListener).prefault(['localhost:9878']),
    'addresses for gRPC: the same forms, or off; repeatable',
  ),
  admin: setting(
    'admin-listen',
    listeners(fields(common)).prefault(['off']),
    'addresses for the status page (/) and the metrics for Prometheus (/metrics): the same forms, or off; repeatable',
  ),
};

/** Certificates, for the listeners that speak TLS. */
export const tls = {
  cert: setting('cert', path().optional(), 'the certificate for TLS 1.2 or later (PEM, with its chain); needs a key'),
  key: setting('key', path().optional(), "the certificate's private key (PEM)"),
  clientCa: setting('client-ca', path().optional(), 'the authorities whose client certificates are trusted (PEM)'),
  clientCert: setting(
    'client-cert',
    choice(['optional', 'required']).prefault('optional'),
    'required: refuse clients without a certificate, during the TLS handshake',
  ),
};

/** The HTTP API of plakar 1.0. */
export const v10 = {
  isDisabled: setting('no-http-v1.0', flag().prefault(false), "don't serve the HTTP API of plakar 1.0"),
  maxDocumentBytes: setting(
    'http-v1.0-limit',
    size(1024 ** 2, 9999 * 1024 ** 2, 1024 ** 2).prefault(96),
    'the largest JSON document of that API, in MiB; a packfile is a third larger in JSON: one of 64 MiB takes 86 MiB',
  ),
};

function parseOwner(owner: string): { user: string | undefined; group: string | undefined } {
  const [user = '', group] = owner.split(':');
  return { user: user === '' ? undefined : user, group };
}
