import { expect } from 'chai';
import fc from 'fast-check';
import { helpText } from '../../src/cli/help.js';
import { serveOptions, tokenOptions } from '../../src/cli/options.js';
import { parseCommandLine } from '../../src/cli/parse.js';

function serve(...args: string[]) {
  const command = parseCommandLine(['serve', ...args]);
  if (command.name !== 'serve') throw new Error(command.name);
  return command;
}

describe('the command line', () => {
  it('gives help on request, and without arguments', () => {
    for (const argv of [[], ['help'], ['--help'], ['-h'], ['serve', '--help'], ['serve', '/x', '-help']]) {
      expect(parseCommandLine(argv).name, argv.join(' ')).to.equal('help');
    }
    expect(parseCommandLine(['--version']).name).to.equal('version');
    expect(parseCommandLine(['-version']).name).to.equal('version');
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
      'there can be only one location: "b" is another one',
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

  it("reads a token's principal, expiry and file", () => {
    const token = { name: 'token create', principal: 'web-1', expires: undefined, configPath: undefined };
    expect(parseCommandLine(['token', 'create', 'web-1'])).to.deep.equal(token);
    expect(parseCommandLine(['token', '-expires', '90d', 'create', '--config=f', 'web-1'])).to.deep.equal({
      ...token,
      expires: '90d',
      configPath: 'f',
    });
    for (const args of [
      [],
      ['create'],
      ['make', 'x'],
      ['create', 'x', 'y'],
      ['create', 'x', '--listen', ':1'],
      ['create', 'x', '--expires'],
    ]) {
      const command = parseCommandLine(['token', ...args]);
      expect(command.name, args.join(' ')).to.equal('unknown');
      expect(command, args.join(' ')).to.have.property('problems').that.has.length.at.least(1);
    }
  });

  it('knows no other command', () => {
    const command = parseCommandLine(['sevre', '/x']);
    expect(command).to.deep.equal({
      name: 'unknown',
      problems: ['unknown command "sevre": try `serve`, `check-config` or `token create`'],
    });
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
  it('names every option, within the width of a terminal', () => {
    const help = helpText();
    for (const { name } of [...serveOptions, ...tokenOptions])
      expect(help).to.match(new RegExp(`[ \\[]--${name.replaceAll('.', '\\.')}[ \n]`));
    for (const line of help.split('\n')) expect(line.length, line).to.be.at.most(110);
  });
});
