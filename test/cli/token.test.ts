import { expect } from 'chai';
import { hash } from 'node:crypto';
import { chmod, lstat, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import type { Outcome } from '../../src/cli/outcome.js';
import { createTokenFor } from '../../src/cli/token.js';
import { loadConfig } from '../../src/config/load.js';
import { tempFolder } from '../support/temp.js';

const nowMs = Date.parse('2026-11-24T12:00:00Z');
const surroundings = { home: '/home/op', cwd: '/' };
/** A source of bytes that isn't random, so that results are reproducible. */
const random = (size: number): Buffer => Buffer.alloc(size, 7);

function create(principal: string, configPath?: string, expires?: string): Promise<Outcome> {
  return createTokenFor({ name: 'token create', principal, configPath, expires }, surroundings, { nowMs, random });
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
    const { stdout } = await createTokenFor(
      { name: 'token create', principal: 'x', configPath: undefined, expires: undefined },
      surroundings,
    );
    expect(stdout).not.to.equal(made.stdout);
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
    await create('web-2', path);
    await create('web-3', path);
    const text = await readFile(path, 'utf8');
    const token = { sha256: digest(made) };
    expect(parse(text)).to.deep.equal({
      ...before,
      principals: {
        'web-1': { tokens: [`sha256:${'1'.repeat(64)}`, { ...token, expires: '2027-01-31' }], access: { a: 'append' } },
        'web-2': { certificates: ['cn:x'], tokens: [token] },
        'web-3': { tokens: [token] },
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
    expect(await create('web-1', '/nonexistent/x')).to.include({ exitCode: 1, stdout: '' });
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
