import { expect } from 'chai';
import { hash } from 'node:crypto';
import { chmod, lstat, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import type { Outcome } from '../../src/cli/outcome.js';
import { createToken, listTokens, revokeToken } from '../../src/cli/token.js';
import { loadConfig } from '../../src/config/load.js';
import { tempFolder } from '../support/temp.js';
import { notWatched } from '../support/config.js';

const nowMs = Date.parse('2026-11-24T12:00:00Z');
const surroundings = { home: '/home/op', cwd: '/' };
/** A source of bytes that isn't random, so that results are reproducible. */
let seed = 0;
const random = (size: number): Buffer => Buffer.alloc(size, seed++);

function create(principal: string, configPath?: string, expires?: string, access: string[] = []): Promise<Outcome> {
  return createToken({ name: 'token create', principal, configPath, expires, access }, configPath, { nowMs, random });
}

function revoke(principal: string, configPath: string | undefined, id?: string): Promise<Outcome> {
  return revokeToken({ name: 'token revoke', principal, configPath, id }, configPath);
}

function digest({ stdout }: Outcome): string {
  return hash('sha256', stdout.trimEnd(), 'hex');
}

async function file(text: string): Promise<string> {
  const path = join(await tempFolder(), 'kloset-gateway.yaml');
  await writeFile(path, text);
  return path;
}

describe('token create', () => {
  it('prints only a random token to stdout, and what to write with its hash to stderr', async () => {
    const made = await create('web-1', undefined, '90d');
    expect(made.exitCode).to.equal(0);
    expect(made.stdout).to.match(/^kgw_[A-Za-z0-9_-]{43}\n$/);
    expect(made.stderr).not.to.include(made.stdout.trimEnd());
    const yaml = /^principals:\n(?: .*\n)+/m.exec(made.stderr)?.[0] ?? '';
    expect(parse(yaml)).to.deep.equal({
      principals: { 'web-1': { access: {}, tokens: [{ sha256: digest(made), expires: '2027-02-22T12:00:00Z' }] } },
    });
    const command = { principal: 'x', configPath: undefined, expires: undefined, access: [] };
    const { stdout } = await createToken({ name: 'token create', ...command }, undefined);
    expect(stdout).not.to.equal(made.stdout);
  });

  it('prints what to write for the status page, too, unless the token expires or is for stores', async () => {
    const made = await create('admin');
    expect(made.stderr).to.match(/^access grants/m);
    expect(/^admin-token: .*$/m.exec(made.stderr)?.[0]).to.equal(`admin-token: sha256:${digest(made)}`);
    for (const other of [
      await create('web-1', undefined, '90d'),
      await create('web-1', undefined, undefined, ['append']),
    ]) {
      expect(other.stderr).to.include(digest(other)).and.not.include('admin-token');
    }
  });

  it('adds the hash to a principal in the file, and keeps everything else, including comments', async () => {
    const path = await file(
      [
        '# ours',
        'stores: { a: { location: /a } }',
        '',
        'principals:',
        '  # the first',
        '  web-1:',
        '    tokens:',
        `      - sha256:${'1'.repeat(64)} # old`,
        '    access: { a: append }',
        '  web-2: { certificates: ["cn:x"] }',
        '  web-3: # nothing yet',
        '',
      ].join('\n'),
    );
    const before = parse(await readFile(path, 'utf8')) as { principals: Record<string, object> };
    const made = await create('web-1', path, '2027-01-31');
    expect(made).to.include({ exitCode: 0 });
    const second = await create('web-2', path);
    const third = await create('web-3', path);
    const text = await readFile(path, 'utf8');
    const token = { sha256: digest(made) };
    expect(parse(text)).to.deep.equal({
      ...before,
      principals: {
        'web-1': { tokens: [`sha256:${'1'.repeat(64)}`, { ...token, expires: '2027-01-31' }], access: { a: 'append' } },
        'web-2': { certificates: ['cn:x'], tokens: [{ sha256: digest(second) }] },
        'web-3': { tokens: [{ sha256: digest(third) }] },
      },
    });
    for (const comment of ['# ours', '# the first', '# old', '# nothing yet']) expect(text).to.include(comment);
    expect(text).not.to.include(made.stdout.trimEnd());
  });

  it("adds a principal that doesn't exist, without access, and says so", async () => {
    for (const text of ['', '# nothing\n', 'principals:\n', 'stores: { a: { location: /a } }\n']) {
      const path = await file(text);
      const made = await create('web-1', path);
      expect(made.stderr).to.include('web-1 is new and has no access to any store yet');
      const loaded = await loadConfig({ flags: {}, env: {}, configPath: path, surroundings });
      if ('problems' in loaded) throw new Error(loaded.problems.join());
      expect(loaded.config.principals).to.deep.equal([
        {
          name: 'web-1',
          tokens: [{ sha256: digest(made), expiresMs: undefined }],
          certificates: [],
          access: new Map(),
          listeners: undefined,
          ...notWatched,
        },
      ]);
    }
  });

  it('replaces the file atomically, with its permissions, through links, and leaves nothing behind', async () => {
    const path = await file('# ours\n');
    await chmod(path, 0o640);
    const link = join(dirname(path), 'link.yaml');
    await symlink(path, link);
    const { ino } = await stat(path);
    expect(await create('web-1', link)).to.include({ exitCode: 0 });
    expect((await lstat(link)).isSymbolicLink()).to.equal(true);
    const after = await stat(path);
    expect(after.mode & 0o7777).to.equal(0o640);
    expect(after.ino).not.to.equal(ino);
    expect(await readdir(dirname(path))).to.have.members(['kloset-gateway.yaml', 'link.yaml']);
  });

  it('makes one change of a file at a time, and loses no token that it said was added', async () => {
    const path = await file('# ours\n');
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const made = await Promise.all(names.map((name) => create(name, path)));
    const text = await readFile(path, 'utf8');
    const added = names.filter((_, i) => made[i]?.exitCode === 0);
    expect(added).to.not.deep.equal([]);
    expect(Object.keys((parse(text) as { principals: object }).principals)).to.have.members(added);
    for (const { exitCode, stdout, stderr } of made.filter((each) => each.exitCode !== 0)) {
      expect({ exitCode, stdout }).to.deep.equal({ exitCode: 1, stdout: '' });
      expect(stderr).to.include('another process is changing it: try again');
    }
    expect(await readdir(dirname(path))).to.deep.equal(['kloset-gateway.yaml']);
  });

  it("refuses files that it can't change, without showing a token, and leaves them as they are", async () => {
    const texts = [
      '- a\n',
      'principals: [\n',
      'principals: x\n',
      'a: &a {}\nprincipals: { web-1: *a }\n',
      'principals: { web-1: { tokens: x } }\n',
      'principals:\n  web-1: &a\n  web-2: *a\n',
    ];
    for (const text of texts) {
      const path = await file(text);
      const { exitCode, stdout, stderr } = await create('web-1', path);
      expect({ exitCode, stdout }, text).to.deep.equal({ exitCode: 2, stdout: '' });
      expect(stderr, text).to.match(/^kloset-gateway: .*(by hand|not a map in YAML)/);
      expect(await readFile(path, 'utf8')).to.equal(text);
    }
    expect(await create('web-1', '/nonexistent/x')).to.include({ exitCode: 2, stdout: '' });
  });

  it('refuses invalid names, and expiries in the past or in another form', async () => {
    for (const name of ['anonymous', 'a:b', '']) expect(await create(name)).to.include({ exitCode: 2, stdout: '' });
    for (const expires of ['2026-11-23', '0d', 'soon', '90', '5y']) {
      expect(await create('web-1', undefined, expires), expires).to.include({ exitCode: 2, stdout: '' });
    }
    expect(await create('web-1', undefined, '2026-11-24')).to.include({ exitCode: 0 });
    expect((await create('a:b', undefined, 'soon')).stderr.match(/^kloset-gateway: /gm)).to.have.length(2);
  });
});

describe('token create --access', () => {
  const stores = 'stores: { teams/blue: { location: /blue }, shared: { location: /shared } }\n';

  it('grants the principal access, and keeps what it has', async () => {
    const path = await file(`${stores}principals:\n  web-1:\n    access: { shared: read-only }\n`);
    const made = await create('web-1', path, undefined, ['teams/blue=append', 'shared=write-only']);
    expect(made).to.include({ exitCode: 0 });
    expect(made.stderr)
      .to.include('All tokens of web-1 now have access to teams/blue: append (before: none).')
      .and.to.include('All tokens of web-1 now have access to shared: write-only (before: read-only).');
    await create('web-2', path, undefined, ['*=read-only']);
    expect((await create('web-3', path, undefined, ['shared=full'])).stderr).to.not.include('no access');
    const loaded = await loadConfig({ flags: {}, env: {}, configPath: path, surroundings });
    if ('problems' in loaded) throw new Error(loaded.problems.join());
    expect(loaded.config.principals.map(({ access }) => Object.fromEntries(access))).to.deep.equal([
      { shared: 'write-only', 'teams/blue': 'append' },
      { '*': 'read-only' },
      { shared: 'full' },
    ]);
  });

  it('means the default store without a name, where there is one', async () => {
    const path = await file('location: /a\n');
    await create('web-1', path, undefined, ['append']);
    expect(parse(await readFile(path, 'utf8')))
      .to.have.nested.property('principals.web-1.access')
      .that.deep.equals({
        '': 'append',
      });
    expect(await readFile(path, 'utf8')).to.include('"": append');
    const named = await file(stores);
    const { exitCode, stderr } = await create('web-1', named, undefined, ['append']);
    expect(exitCode).to.equal(2);
    expect(stderr).to.include('--access: there is no default store: name one');
  });

  it('refuses other levels, other stores, and a store twice, and changes nothing', async () => {
    const path = await file(stores);
    const wrong: [string[], string][] = [
      [['teams/blue=write'], '--access "teams/blue=write": the level must be one of none, read-only'],
      [['teams/blue=append,shared=full'], '--access "teams/blue=append,shared=full": must be STORE=LEVEL'],
      [['teams/bleu=append'], '--access "teams/bleu": unknown store: did you mean teams/blue?'],
      [['shared=append', 'shared=full'], '--access: shared=full is about a store that another one is about'],
    ];
    for (const [access, message] of wrong) {
      const { exitCode, stdout, stderr } = await create('web-1', path, undefined, access);
      expect({ exitCode, stdout }).to.deep.equal({ exitCode: 2, stdout: '' });
      expect(stderr).to.include(message);
      expect(await readFile(path, 'utf8')).to.equal(stores);
    }
  });
});

describe('token list', () => {
  it('shows each token with its ID, expiry and access, and principals without one', async () => {
    const path = await file(
      [
        'principals:',
        `  web-1: { tokens: ['sha256:${'AB'.repeat(32)}', { sha256: ${'c'.repeat(64)}, expires: 2026-11-23 }],`,
        '    access: { teams/blue: append } }',
        `  web-2: { tokens: [{ sha256: ${'d'.repeat(64)}, expires: 2027-01-31 }], access: { '': full, '*': none } }`,
        "  db-1: { certificates: ['cn:db-1'] }",
        '  gone: { tokens: [], access: { shared: read-only } }',
        '',
      ].join('\n'),
    );
    const { exitCode, stdout } = await listTokens(path, nowMs);
    expect(exitCode).to.equal(0);
    expect(stdout.split('\n').map((line) => line.trim().replace(/ {2,}/g, ' | '))).to.deep.equal([
      'web-1 | abababababab | never expires | teams/blue: append',
      'web-1 | cccccccccccc | EXPIRED 2026-11-23 | teams/blue: append',
      'web-2 | dddddddddddd | until 2027-01-31 | (default): full, *: none',
      'db-1 | certificate | cn:db-1 | no access',
      'gone | no token | shared: read-only',
      '',
    ]);
    expect((await listTokens(await file('# nothing\n'))).stdout).to.equal('no principals\n');
  });

  it('says what to do without a file, and what is wrong with one', async () => {
    expect(await listTokens(undefined)).to.deep.equal({
      exitCode: 2,
      stdout: '',
      stderr: 'kloset-gateway: name the configuration file: --config FILE, or KLOSET_GATEWAY_CONFIG\n',
    });
    expect((await listTokens('/nonexistent/x')).stderr).to.equal(
      "kloset-gateway: the configuration file /nonexistent/x can't be read: it does not exist\n",
    );
    expect(await listTokens(await file('- a\n'))).to.include({ exitCode: 2, stdout: '' });
  });
});

describe('token revoke', () => {
  const text = [
    '# ours',
    'stores: { a: { location: /a } }',
    'principals:',
    '  web-1:',
    '    tokens:',
    `      - sha256:${'a'.repeat(64)} # old`,
    `      - { sha256: ${'b'.repeat(64)}, expires: 2030-01-31 } # new`,
    '    access: { a: append }',
    `  web-2: { tokens: [{ sha256: ${'c'.repeat(64)} }] }`,
    '',
  ].join('\n');

  it('removes the token with this ID, and keeps everything else', async () => {
    const path = await file(text);
    const revoked = await revoke('web-1', path, 'a'.repeat(12));
    expect(revoked).to.include({ exitCode: 0, stdout: '' });
    expect(revoked.stderr).to.match(/^Revoked a{12} of principals\.web-1 in /);
    const after = await readFile(path, 'utf8');
    expect(parse(after)).to.deep.equal({
      stores: { a: { location: '/a' } },
      principals: {
        'web-1': { tokens: [{ sha256: 'b'.repeat(64), expires: '2030-01-31' }], access: { a: 'append' } },
        'web-2': { tokens: [{ sha256: 'c'.repeat(64) }] },
      },
    });
    for (const comment of ['# ours', '# new']) expect(after).to.include(comment);
  });

  it("removes a principal's only token without its ID, and the file stays valid", async () => {
    const path = await file(text);
    const { exitCode, stderr } = await revoke('web-2', path);
    expect(exitCode).to.equal(0);
    expect(stderr).to.include('web-2 has no token left');
    const loaded = await loadConfig({ flags: {}, env: {}, configPath: path, surroundings });
    if ('problems' in loaded) throw new Error(loaded.problems.join());
    expect(loaded.config.principals.find(({ name }) => name === 'web-2')?.tokens).to.deep.equal([]);
  });

  it('refuses what is no token of the principal, with what there is, and changes nothing', async () => {
    const path = await file(text);
    const wrong: [string, string | undefined, string][] = [
      ['web-1', undefined, 'name the token of web-1 to revoke: it has aaaaaaaaaaaa, bbbbbbbbbbbb'],
      ['web-1', 'c'.repeat(12), 'web-1 has no token "cccccccccccc": it has aaaaaaaaaaaa, bbbbbbbbbbbb'],
      ['web-1', 'a', 'web-1 has no token "a"'],
      ['web-3', undefined, 'has no principal "web-3": did you mean web-'],
    ];
    for (const [principal, id, message] of wrong) {
      const { exitCode, stderr } = await revoke(principal, path, id);
      expect(exitCode).to.equal(2);
      expect(stderr).to.include(message);
      expect(await readFile(path, 'utf8')).to.equal(text);
    }
    expect(await revoke('web-1', undefined)).to.include({ exitCode: 2 });
  });
});
