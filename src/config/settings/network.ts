import { z } from 'zod';
import { accessLevels } from '../../core/access.js';
import { setting } from '../setting.js';
import { choice, fields, flag, size, text } from '../values.js';

const forms = 'host:port, [v6]:port, :port (every address of the machine), unix:/path, systemd or systemd:NAME';

const address = text().describe(`where to listen: ${forms}`);

const common = {
  address,
  name: text()
    .optional()
    .describe('what principals and logs call this listener (default: its address as it is written)'),
  tls: flag().optional().describe('speak TLS (default: true where there is a cert, but for unix:/path and metrics)'),
  mode: z
    .string('it has to be permissions in quotes, as in "0660"')
    .regex(/^0?[0-7]{3}$/, 'it has to be permissions in octal digits, as in "0660"')
    .transform((digits) => Number.parseInt(digits, 8))
    .optional()
    .describe('permissions of the unix socket, in quotes, as in "0660"'),
  owner: z
    .string('it has to be text, as in "root:backup"')
    .regex(/^(?=.)[A-Za-z0-9._-]*(:[A-Za-z0-9._-]+)?$/, 'it has to be USER, USER:GROUP or :GROUP, by name or number')
    .optional()
    .describe('owner of the unix socket: USER, USER:GROUP or :GROUP, by name or number'),
};

const storeListener = fields({
  ...common,
  'max-access': choice(accessLevels)
    .optional()
    .describe('the most that anybody may do who comes this way, whoever it is (default full)'),
});

/** A listener, a list of them, or off. */
function listeners<T extends z.ZodType>(listener: T) {
  const one = z.union([address, listener], `it has to be an address, ${forms}, or a map with an address`);
  const message = `it has to be an address, ${forms}; or a list of addresses, or off`;
  return z.union([address, listener, z.array(one)], message);
}

/** Where to listen, with what, and what is spoken there. */
export const network = {
  listen: setting({
    schema: listeners(storeListener),
    value: 'ADDR',
    form: 'list',
    default: ['localhost:9876'],
    description: 'HTTP: host:port, [v6]:port, :port, unix:/path, systemd[:NAME], or off; repeatable',
  }),
  'grpc-listen': setting({
    schema: listeners(storeListener),
    value: 'ADDR',
    form: 'list',
    default: ['localhost:9877'],
    description: 'gRPC: the same forms, or off; repeatable',
  }),
  'metrics-listen': setting({
    schema: listeners(fields(common)),
    value: 'ADDR',
    form: 'list',
    default: ['off'],
    description: "the gateway's measurements for Prometheus, at /metrics: the same forms, or off; repeatable",
  }),
  cert: setting({
    schema: text(),
    value: 'FILE',
    description: 'serve TLS, 1.2 or later, with this certificate (PEM, with its chain); needs a key',
  }),
  key: setting({ schema: text(), value: 'FILE', description: "the certificate's private key (PEM)" }),
  'client-ca': setting({
    schema: text(),
    value: 'FILE',
    description: 'trust client certificates that these authorities signed (PEM)',
  }),
  'client-cert': setting({
    schema: choice(['optional', 'required']),
    value: 'optional|required',
    default: 'optional',
    description: 'whether who shows no certificate is turned away in the handshake',
  }),
  'no-http-v1.0': setting({ schema: flag(), description: "don't serve the HTTP API of plakar 1.0" }),
  'http-v1.0-limit': setting({
    schema: size(1024 ** 2, 9999 * 1024 ** 2, 1024 ** 2),
    value: 'MIB',
    default: 40,
    description:
      'the largest JSON document of that API, in MiB (its packfiles of 20 MiB and some are a third larger there)',
  }),
} as const;
