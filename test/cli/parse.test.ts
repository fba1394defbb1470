import { expect } from 'chai';
import fc from 'fast-check';
import { helpText } from '../../src/cli/help.js';
import { commands } from '../../src/cli/commands.js';
import { serveOptions } from '../../src/cli/options.js';
import { parseCommandLine } from '../../src/cli/parse.js';

function serve(...args: string[]) {
  const command = parseCommandLine(['serve', ...args]);
  if (command.name !== 'serve') throw new Error(command.name);
  return command;
}

describe('the command line', () => {
  it('gives help on request, and without arguments', () => {
    for (const argv of [[], ['help'], ['--help'], ['-h'], ['help', 'sevre'], ['sevre', '--help']])
      expect(parseCommandLine(argv), argv.join(' ')).to.deep.equal({ name: 'help', about: undefined });
    for (const argv of [
      ['serve', '--help'],
      ['serve', '/x', '-help'],
      ['help', 'serve'],
      ['serve', '--foo', '-h'],
    ])
      expect(parseCommandLine(argv), argv.join(' ')).to.deep.equal({ name: 'help', about: 'serve' });
    expect(parseCommandLine(['token', 'create', '-h'])).to.deep.equal({ name: 'help', about: 'token create' });
    for (const spelling of ['--version', '-version', 'version', '-v'])
      expect(parseCommandLine([spelling]).name, spelling).to.equal('version');
  });

  it('reads options and the location in any order, in both spellings', () => {
    const flags = { location: '/x', listen: [':1', ':2'], 'allow-delete': true, durability: 'none' };
    const spellings = [
      ['/x', '--listen', ':1', '--listen', ':2', '--allow-delete', '--durability', 'none'],
      ['-listen', ':1', '-allow-delete', '-listen=:2', '-durability=none', '/x'],
      ['--listen=:1', '--listen=:2', '--durability=none', '--allow-delete=true', '--', '/x'],
    ];
    for (const args of spellings) {
      expect(serve(...args), args.join(' ')).to.deep.equal({
        name: 'serve',
        flags,
        configPath: undefined,
        problems: [],
      });
    }
    expect(serve('--allow-write=false').flags).to.deep.equal({ 'allow-write': false });
  });

  it('reports all problems at once, and keeps the options without one', () => {
    const { flags, problems } = serve(
      '--foo',
      '-bar=1',
      'a',
      'b',
      '--allow-write=maybe',
      '--durability',
      'fsync',
      '--durability=none',
      '--listen',
    );
    expect(problems).to.deep.equal([
      'unknown option "--foo"',
      'unknown option "--bar"',
      '--allow-write takes no value',
      '--durability is given twice',
      '--listen needs a value: ADDR',
      'unexpected argument "b"',
    ]);
    expect(flags).to.deep.equal({ location: 'a', durability: 'fsync' });
  });

  it('refuses maps, which only the file can hold', () => {
    const { flags, problems } = serve('--stores', '{a: {location: /a}}', '-principals={}', '/x');
    expect(problems).to.deep.equal([
      '--stores: can only be set in a configuration file, which --config FILE names',
      '--principals: can only be set in a configuration file, which --config FILE names',
    ]);
    expect(flags).to.deep.equal({ location: '/x' });
  });

  it('does not take an option for the value of another', () => {
    expect(serve('--listen', '--sample').problems).to.deep.equal(['--listen needs a value: ADDR']);
  });

  it('reads the same for check-config, and the path of the file for both', () => {
    const args = ['/x', '-config', 'a.yaml', '-http-v1.0-limit=5', '-max-uploads', '3'];
    const rest = {
      flags: { location: '/x', 'http-v1.0-limit': '5', 'max-uploads': '3' },
      configPath: 'a.yaml',
      problems: [],
    };
    for (const name of ['serve', 'check-config']) {
      expect(parseCommandLine([name, ...args])).to.deep.equal({ name, ...rest });
    }
  });

  it("reads a token's principal, expiry, access and file", () => {
    const token = { name: 'token create', principal: 'web-1', expires: undefined, access: [], configPath: undefined };
    expect(parseCommandLine(['token', 'create', 'web-1'])).to.deep.equal(token);
    const args = ['-expires', '90d', '--access', 'a=append', '--config=f', 'web-1', '--access=full'];
    expect(parseCommandLine(['token', 'create', ...args])).to.deep.equal({
      ...token,
      expires: '90d',
      access: ['a=append', 'full'],
      configPath: 'f',
    });
    const list = { name: 'token list', configPath: 'f' };
    expect(parseCommandLine(['token', 'list', '--config', 'f'])).to.deep.equal(list);
    const revoke = { name: 'token revoke', principal: 'create', id: 'abc', configPath: undefined };
    expect(parseCommandLine(['token', 'revoke', 'create', 'abc'])).to.deep.equal(revoke);
    expect(parseCommandLine(['token', 'revoke', 'x'])).to.include({ principal: 'x', id: undefined });
    for (const args of [
      [],
      ['create'],
      ['make', 'x'],
      ['create', 'x', 'y'],
      ['create', 'x', '--listen', ':1'],
      ['create', 'x', '--expires'],
      ['list', 'x'],
      ['revoke'],
      ['revoke', 'x', 'y', 'z'],
    ]) {
      const command = parseCommandLine(['token', ...args]);
      expect(command.name, args.join(' ')).to.equal('unknown');
      expect(command, args.join(' ')).to.have.property('problems').that.has.length.at.least(1);
    }
  });

  it('knows no other command or option, and says which was probably meant', () => {
    const problemsOf = (...argv: string[]): unknown => {
      const command = parseCommandLine(argv);
      return 'problems' in command && command.problems;
    };
    expect(problemsOf('sevre', '/x')).to.deep.equal(['unknown command "sevre": did you mean serve?']);
    expect(problemsOf('token', 'revok', 'x')).to.deep.equal([
      'unknown command "token revok": did you mean token revoke?',
    ]);
    const all = commands.map(({ name }) => name).join(', ');
    expect(problemsOf('--versoin')).to.deep.equal(['unknown command "--versoin": did you mean --version?']);
    expect(problemsOf('backup')).to.deep.equal([`unknown command "backup": there are ${all}`]);
    expect(problemsOf('token')).to.deep.equal([`unknown command "token": there are ${all}`]);
    expect(problemsOf('serve', '--alow-write')).to.deep.equal([
      'unknown option "--alow-write": did you mean --allow-write?',
    ]);
    expect(problemsOf('token', 'create', 'x', '--expire=90d')).to.deep.equal([
      'unknown option "--expire": did you mean --expires?',
    ]);
    expect(problemsOf('plugin', 'x')).to.deep.equal(['unexpected argument "x"']);
  });

  it('parses any arguments without failing', () => {
    const words = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'serve',
        '--listen',
        '--',
        '-',
        '--=x',
        '-allow-write',
        '--__proto__',
        '--constructor=x',
        'token',
        'create',
      ),
    );
    fc.assert(
      fc.property(fc.array(words), (argv) => {
        expect(parseCommandLine(argv)).to.have.property('name');
        expect(Object.keys(serve(...argv.filter((arg) => !/^(-h|--?help)$/.test(arg))).flags)).to.satisfy(
          (keys: string[]) => keys.every((key) => key === 'location' || serveOptions.some(({ name }) => name === key)),
        );
      }),
    );
  });
});

describe('the help', () => {
  it('of the program names every command, within the width of a terminal', () => {
    const help = helpText();
    for (const { name } of commands) expect(help).to.match(new RegExp(`^  ${name}[ \n]`, 'm'));
    for (const line of help.split('\n')) expect(line.length, line).to.be.at.most(110);
  });

  it("of a command names that command's options, and no others", () => {
    for (const { name, options } of commands) {
      const help = helpText(name);
      const named = [...help.matchAll(/^  --([a-z0-9.-]+)/gm)].map(([, option]) => option);
      expect(named, name).to.have.members(options.map((option) => option.name));
      for (const line of help.split('\n')) expect(line.length, line).to.be.at.most(110);
    }
  });
});
