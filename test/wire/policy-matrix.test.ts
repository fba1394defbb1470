import { expect } from 'chai';
import { tokenDigest } from '../../src/auth/tokens.js';
import type { Settings } from '../../src/config/config.js';
import { accessLevels, type Access } from '../../src/core/access.js';
import { StoreError } from '../../src/core/errors.js';
import { objectKinds, type ObjectKind } from '../../src/core/object.js';
import type { Store } from '../../src/core/store.js';
import { Authority, type Certificate } from '../support/certificate.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { fingerprint } from './support/folders.js';
import { asItWas, operations, SubjectStore, type Operation, type OperationName } from './support/operations.js';
import { protocols, type Protocol } from './support/protocols.js';

/** Refused; allowed, and every file on disk stays as it is; allowed, and files change; in conflict with what is there. */
type Outcome = 'no' | 'reads' | 'writes' | 'conflict';
type Row = readonly [none: Outcome, readOnly: Outcome, writeOnly: Outcome, append: Outcome, full: Outcome];

const ofPackfilesAndStates: Readonly<Record<OperationName, Row>> = {
  config: ['no', 'reads', 'reads', 'reads', 'reads'],
  list: ['no', 'reads', 'reads', 'reads', 'reads'],
  stat: ['no', 'reads', 'reads', 'reads', 'reads'],
  get: ['no', 'reads', 'reads', 'reads', 'reads'],
  'get a range': ['no', 'reads', 'reads', 'reads', 'reads'],
  'put a new one': ['no', 'no', 'writes', 'writes', 'writes'],
  'put the same bytes': ['no', 'no', 'reads', 'reads', 'reads'],
  'put other bytes': ['no', 'no', 'conflict', 'conflict', 'conflict'],
  delete: ['no', 'no', 'no', 'no', 'writes'],
  'delete what is not there': ['no', 'no', 'no', 'no', 'reads'],
};
const outcomes: Readonly<Record<ObjectKind, typeof ofPackfilesAndStates>> = {
  packfile: {
    ...ofPackfilesAndStates,
    stat: ['no', 'reads', 'no', 'reads', 'reads'],
    get: ['no', 'reads', 'no', 'reads', 'reads'],
    'get a range': ['no', 'reads', 'no', 'reads', 'reads'],
  },
  state: ofPackfilesAndStates,
  lock: {
    ...ofPackfilesAndStates,
    'put the same bytes': ['no', 'no', 'writes', 'writes', 'writes'],
    'put other bytes': ['no', 'no', 'writes', 'writes', 'writes'],
    delete: ['no', 'no', 'writes', 'writes', 'writes'],
    'delete what is not there': ['no', 'no', 'reads', 'reads', 'reads'],
  },
};

/** Someone with an access to a store. */
interface Caller {
  readonly name: string;
  readonly canLogIn: boolean;
  readonly store: (level: Access) => string;
  readonly token?: (level: Access) => string;
  /** The listeners it uses, by their max-access. */
  readonly ceilings: readonly Access[];
}

const callers: readonly Caller[] = [
  { name: 'Nobody, who could log in,', canLogIn: true, store: (level) => `everyones/${level}`, ceilings: accessLevels },
  {
    name: 'A principal',
    canLogIn: true,
    store: () => 'granted',
    token: (level) => level,
    ceilings: ['full', 'read-only'],
  },
  {
    name: 'A principal who was granted nothing where everybody',
    canLogIn: true,
    store: (level) => `everyones/${level}`,
    token: () => 'none',
    ceilings: ['full'],
  },
  {
    name: 'Nobody, where nobody can log in,',
    canLogIn: false,
    store: (level) => `everyones/${level}`,
    ceilings: ['full', 'append'],
  },
];

/** What a caller may do who has a level through a listener with another one. */
function effectiveAccess(level: Access, ceiling: Access): Access {
  const both = [level, ceiling];
  if (both.includes('read-only') && both.includes('write-only')) return 'none';
  return accessLevels.find((each) => both.includes(each)) ?? 'none';
}

/** As the HTTP and gRPC clients see it: 401 with WWW-Authenticate, or UNAUTHENTICATED; 403, or PERMISSION_DENIED. */
function refusalOf({ canLogIn, token }: Caller, level: Access, ceiling: Access, outcome: Row): string {
  // Logging in is no help where nobody may do it. What there is nobody learns where they have nothing of it.
  const helps =
    outcome[accessLevels.indexOf(ceiling)] !== 'no' ||
    (effectiveAccess(level, ceiling) === 'none' && ceiling !== 'none');
  return canLogIn && token === undefined && helps ? 'unauthenticated' : 'permission_denied';
}

const atEach = <T>(make: (level: Access) => readonly [string, T]): Record<string, T> =>
  Object.fromEntries(accessLevels.map(make));

function settingsFor(folder: string, { canLogIn }: Pick<Caller, 'canLogIn'>, certificate: Certificate): Settings {
  const principals = atEach((level) => [
    `has-${level}`,
    { tokens: [`sha256:${tokenDigest(level)}`], access: { granted: level } },
  ]);
  const listen = (prefix: string, tls: boolean) =>
    accessLevels.map((level) => ({ address: '127.0.0.1:0', name: `${prefix}-${level}`, 'max-access': level, tls }));
  return {
    stores: {
      granted: { location: folder, anonymous: 'none' },
      ...atEach((level) => [`everyones/${level}`, { location: folder, anonymous: level }]),
    },
    ...(canLogIn && { principals }),
    listen: [...listen('http', false), ...listen('https', true)],
    'grpc-listen': listen('grpc', false),
    cert: certificate.certFile,
    key: certificate.keyFile,
  };
}

describe('The policy, for every access level, operation, kind and protocol', function () {
  this.timeout(120_000);
  let authority: Authority;
  let disk: SubjectStore;
  /** What is on it. */
  let prints: Record<string, string>;
  let withLogin: TestGateway;
  let withoutLogin: TestGateway;

  before(async () => {
    authority = await Authority.create();
    const certificate = await authority.issue();
    disk = await SubjectStore.create();
    prints = fingerprint(disk.folder);
    withLogin = await startTestGateway(undefined, settingsFor(disk.folder, { canLogIn: true }, certificate));
    withoutLogin = await startTestGateway(undefined, settingsFor(disk.folder, { canLogIn: false }, certificate));
  });

  after(() => Promise.all([withLogin.close(), withoutLogin.close()]));

  for (const protocol of protocols) {
    for (const caller of callers) {
      for (const level of accessLevels) {
        it(`${caller.name} has ${level} through ${protocol.name}`, async () => {
          for (const ceiling of caller.ceilings) await checkAll(protocol, caller, level, ceiling);
        });
      }
    }
  }

  async function checkAll(protocol: Protocol, caller: Caller, level: Access, ceiling: Access): Promise<void> {
    const { gateway } = caller.canLogIn ? withLogin : withoutLogin;
    const index = accessLevels.indexOf(ceiling) + (protocol.tls ? accessLevels.length : 0);
    const { port = NaN } = (gateway[protocol.frontend][index] ?? {}) as { port?: number };
    const token = caller.token?.(level);
    let client: Store | undefined;
    const connected = async (): Promise<Store> =>
      (client ??= await protocol.connect(port, {
        store: caller.store(level),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(protocol.tls && { tls: { ca: authority.cert } }),
      }));
    const effective = accessLevels.indexOf(effectiveAccess(level, ceiling));
    for (const kind of objectKinds) {
      for (const operation of operations) {
        const row = outcomes[kind][operation.name];
        const expected = row[effective] ?? 'no';
        const wanted = expected === 'no' ? refusalOf(caller, level, ceiling, row) : expected;
        const got = await outcomeOf(operation, kind, connected);
        expect(got, `${operation.name} (${kind}, max-access ${ceiling})`).to.equal(wanted);
      }
    }
    await client?.close();
  }

  /** What becomes of one operation: what is on disk then is looked at, and made what it was. */
  async function outcomeOf(operation: Operation, kind: ObjectKind, connected: () => Promise<Store>): Promise<string> {
    const subject = disk.subject(kind);
    const failed = await connected()
      .then((client) => operation.run(client, subject))
      .then(() => undefined, storeError);
    const now = fingerprint(disk.folder);
    const what = `${operation.name} (${failed?.message ?? 'allowed'})`;
    if (failed?.code === 'unauthenticated' || failed?.code === 'permission_denied') {
      expect(now, what).to.deep.equal(prints);
      return failed.code;
    }
    const changed = JSON.stringify(onlyFiles(now)) !== JSON.stringify(onlyFiles(prints));
    const { ref, bytes } = failed === undefined ? operation.leaves(subject) : asItWas(subject);
    expect((await disk.bytesOf(ref))?.toString('hex'), `after ${what}`).to.equal(bytes?.toString('hex'));
    if (changed) await disk.restore();
    prints = changed ? fingerprint(disk.folder) : now;
    if (failed === undefined) return changed ? 'writes' : 'reads';
    expect(changed, what).to.equal(false);
    return failed.code === 'already_exists' ? 'conflict' : failed.code;
  }
});

function storeError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  throw error;
}

/** Without folders, whose times change with what comes and goes in them. */
function onlyFiles(prints: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(prints).filter(([, print]) => !print.endsWith('no file')));
}
