import { oldNames } from '../../src/config/definition.js';
import { expect } from 'chai';
import fc from 'fast-check';
import { helpText } from '../../src/cli/help.js';
import { commands } from '../../src/cli/commands.js';
import { settingOptions } from '../../src/cli/setting-options.js';
import { parseCommandLine } from '../../src/cli/parse.js';

function serve(...args: string[]) {
  const command = parseCommandLine(['serve', ...args]);
  if (command.name !== 'serve') throw new Error(command.name);
  return command;
}

describe('the command line', () => {
  it('gives help on request, and without arguments', () => {
    for (const argv of [
      [],
      ['help'],
      ['--help'],
      ['-h'],
      ['help', 'help'],
      ['help', '--help'],
      ['--listen', ':1', '-h'],
    ])
      expect(parseCommandLine(argv), argv.join(' ')).to.deep.equal({ name: 'help', about: undefined });
    for (const argv of [
      ['serve', '--help'],
      ['serve', '/x', '-help'],
      ['help', 'serve'],
      ['serve', '--foo', '-h'],
    ])
      expect(parseCommandLine(argv), argv.join(' ')).to.deep.equal({ name: 'help', about: 'serve' });
    expect(parseCommandLine(['token', 'create', '-h'])).to.deep.equal({ name: 'help', about: 'token create' });
    for (const argv of [
      ['help', 'token', 'create'],
      ['help', 'token', 'create', 'web-1'],
    ])
      expect(parseCommandLine(argv), argv.join(' ')).to.deep.equal({ name: 'help', about: 'token create' });
    for (const argv of [
      ['help', 'token'],
      ['token', '--help'],
    ])
      expect(parseCommandLine(argv), argv.join(' ')).to.deep.equal({ name: 'help', about: 'token' });
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
    expect(serve('--metrics-listen', ':1'), 'an old name').to.deep.include({
      flags: { 'metrics-listen': [':1'] },
      problems: [],
    });
  });

  it('turns off what is on by default with --no-, and on again with its own name', () => {
    expect(serve('--no-s3-tls').flags).to.deep.equal({ 's3-tls': false });
    expect(serve('-no-s3-tls=false').flags).to.deep.equal({ 's3-tls': true });
    expect(serve('--s3-tls').flags).to.deep.equal({ 's3-tls': true });
    expect(serve('--s3-tls=false').flags).to.deep.equal({ 's3-tls': false });
    expect(serve('--no-s3-tls=maybe').problems).to.deep.equal(['--no-s3-tls takes no value']);
    expect(serve('--no-quota-includes-trash', '/x').flags).to.deep.equal({
      'quota-includes-trash': false,
      location: '/x',
    });
    expect(helpText('serve')).to.include('--no-s3-tls ').and.not.to.include(' --s3-tls ');
  });

  it('takes how a store in S3 is reached for every command about stores', () => {
    const flags = { location: 's3://localhost:9000/backups', 's3-tls': false, 's3-region': 'eu-1' };
    expect(parseCommandLine(['history', flags.location, '--no-s3-tls', '--s3-region', 'eu-1'])).to.deep.include({
      name: 'history',
      flags,
    });
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

  it('reads the file for a test of notifications', () => {
    expect(parseCommandLine(['notify', 'test', '-config', 'f'])).to.deep.equal({
      name: 'notify test',
      configPath: 'f',
    });
    for (const args of [[], ['test', 'x'], ['test', '--listen', ':1']])
      expect(parseCommandLine(['notify', ...args]).name, args.join(' ')).to.equal('unknown');
  });

  it('reads what a command about a store is about and chooses', () => {
    const none = {
      flags: {},
      configPath: undefined,
      store: undefined,
      asOf: undefined,
      since: undefined,
      until: undefined,
      before: undefined,
      macs: [],
      all: false,
      apply: false,
      despiteLocks: false,
      json: false,
    };
    for (const [argv, expected] of [
      [['trash', 'list', '/x', '-json'], { flags: { location: '/x' }, json: true }],
      [['trash', 'restore', '--mac', 'a', '--mac', 'b', '--apply'], { macs: ['a', 'b'], apply: true }],
      [
        ['trash', 'purge', '--config', 'f', '--store', 's', '--before', '3d'],
        { configPath: 'f', store: 's', before: '3d' },
      ],
      [['trash', 'purge', '--all'], { all: true }],
      [['trash', 'restore', '--since', '2d', '--until', '1d'], { since: '2d', until: '1d' }],
      [
        ['restore-states', '--as-of', '2026-01-01', 'sftp://h/x', '--ssh-config=none', '--despite-locks'],
        { asOf: '2026-01-01', flags: { location: 'sftp://h/x', 'ssh-config': 'none' }, despiteLocks: true },
      ],
      [['history', '--since', '1d'], { since: '1d' }],
    ] as const) {
      const name = argv[0] === 'trash' ? `trash ${argv[1]}` : argv[0];
      expect(parseCommandLine(argv), argv.join(' ')).to.deep.equal({ name, ...none, ...expected });
    }
    for (const argv of [['trash'], ['trash', 'list', '--apply'], ['history', 'a', 'b'], ['restore-states', '--all']])
      expect(parseCommandLine(argv).name, argv.join(' ')).to.equal('unknown');
  });

  it('reads the two stores of a copy, and how it is made', () => {
    const argv = ['copy', '/a', 's3://h/b', '--create', '--rate', '20MiB', '--jobs=8', '--verify', '--as-of', '3d'];
    const at = (location: string) => ({ flags: { location, 's3-region': 'eu-1' }, configPath: 'f', store: undefined });
    expect(parseCommandLine([...argv, '--s3-region', 'eu-1', '--config', 'f', '--dry-run', '-json'])).to.deep.equal({
      name: 'copy',
      source: at('/a'),
      destination: at('s3://h/b'),
      create: true,
      jobs: 8,
      bytesPerSecond: 20 * 1024 ** 2,
      verify: true,
      asOf: '3d',
      dryRun: true,
      json: true,
    });
    expect(parseCommandLine(['copy', '/a', '/b'])).to.deep.include({ jobs: 4, bytesPerSecond: undefined });
    expect(parseCommandLine(['copy', '@blue', '@teams/green'])).to.deep.include({
      source: { flags: {}, configPath: undefined, store: 'blue' },
      destination: { flags: {}, configPath: undefined, store: 'teams/green' },
    });
  });

  it('reads the store that is kept whole, and the other copy', () => {
    const server = { 's3-tls': false };
    const common = { flags: server, configPath: 'f', store: 'blue', jobs: 4, bytesPerSecond: undefined, json: false };
    const other = { flags: { location: 's3://h/b', ...server }, configPath: 'f', store: undefined };
    const named = ['--store', 'blue', '--config', 'f', '--no-s3-tls'];
    expect(
      parseCommandLine(['verify', ...named, '--against', 's3://h/b', '--sample=0.5%', '--resume', 'p', '--record']),
    ).to.deep.equal({
      name: 'verify',
      ...common,
      against: other,
      sample: 0.005,
      resume: 'p',
      record: true,
      acceptMissing: false,
    });
    expect(parseCommandLine(['verify', '/a', '--sample', '100%'])).to.deep.include({ sample: 1, against: undefined });
    expect(
      parseCommandLine([
        'repair',
        ...named,
        '--from',
        's3://h/b',
        '--mac',
        'a',
        '--unproven',
        '--to-folder',
        'd',
        '--apply',
      ]),
    ).to.deep.equal({
      name: 'repair',
      ...common,
      from: other,
      macs: ['a'],
      unproven: true,
      toFolder: 'd',
      apply: true,
    });
  });

  it('says what is wrong with the values of those options', () => {
    for (const [argv, problems] of [
      [['copy', '/a'], ['`copy` needs DESTINATION: `copy SOURCE DESTINATION`']],
      [['copy', '/a', '/b', '--store=x'], ['unknown option "--store"']],
      [['copy', '/a', '/b', '--jobs', '0'], ['--jobs "0": must be a whole number from 1 to 64']],
      [['copy', '/a', '/b', '--rate', '1'], ['--rate "1": must be from 1KiB to 1TiB']],
      [['verify', '--sample', '5'], ['--sample "5": must be a percentage above 0%, and up to 100%, as in 5% or 0.5%']],
      [
        ['verify', '--sample', '0%'],
        ['--sample "0%": must be a percentage above 0%, and up to 100%, as in 5% or 0.5%'],
      ],
      [['repair', '/a'], ['say where good objects are: --from LOCATION']],
    ] as const) {
      const [command] = argv;
      expect(parseCommandLine(argv), argv.join(' ')).to.deep.equal({ name: 'unknown', command, problems });
    }
  });

  it('reads the shell to complete in', () => {
    expect(parseCommandLine(['completion', 'fish'])).to.deep.equal({ name: 'completion', shell: 'fish' });
    for (const [argv, problem] of [
      [[], '`completion` needs bash|zsh|fish: `completion bash|zsh|fish`'],
      [['tcsh'], 'unknown shell "tcsh": there are bash, zsh, fish'],
      [['zsh', 'x'], 'unexpected argument "x"'],
    ] as const) {
      const expected = { name: 'unknown', command: 'completion', problems: [problem] };
      expect(parseCommandLine(['completion', ...argv]), argv.join(' ')).to.deep.equal(expected);
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
    expect(problemsOf('token')).to.deep.equal([
      'unknown command "token": there are token create, token list, token revoke',
    ]);
    for (const argv of [
      ['help', 'sevre'],
      ['sevre', '--help'],
    ])
      expect(problemsOf(...argv), argv.join(' ')).to.deep.equal(['unknown command "sevre": did you mean serve?']);
    expect(problemsOf('help', 'token', 'revok')).to.deep.equal([
      'unknown command "token revok": did you mean token revoke?',
    ]);
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
          (keys: string[]) =>
            keys.every((key) => key === 'location' || settingOptions.some(({ name }) => name === key)),
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

  it('of a group of commands names these, and no others', () => {
    const named = [...helpText('token').matchAll(/^  (token \w+)/gm)].map(([, name]) => name);
    expect(named).to.deep.equal(['token create', 'token list', 'token revoke']);
  });

  it('of a command has its examples', () => {
    expect(helpText('token create')).to.include('kloset-gateway token create web-1 --access');
    expect(helpText('serve')).to.include('kloset-gateway serve --sample').and.not.include('kloset-gateway copy');
  });

  it("of a command names that command's options, and no others: settings by their current names", () => {
    for (const { name, options } of commands) {
      const help = helpText(name);
      const named = [...help.matchAll(/^  --([a-z0-9.-]+)/gm)].map(([, option]) => option);
      expect(named, name).to.have.members(options.map((option) => option.name).filter((each) => !(each in oldNames)));
      for (const line of help.split('\n')) expect(line.length, line).to.be.at.most(110);
    }
  });
});
