import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generatedFiles } from '../../scripts/cli-docs.js';
import { commands } from '../../src/cli/commands.js';
import { settingNames } from '../../src/config/definition.js';
import { isInstalled } from './support/shells.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The paths of all man pages. */
async function pagePaths(): Promise<string[]> {
  return Object.keys(await generatedFiles(root)).filter((path) => path.startsWith('share/man/'));
}

describe('The man pages and completion scripts', () => {
  it('are up to date with `npm run generate:cli`, and there are no others', async () => {
    const generated = await generatedFiles(root);
    for (const [path, text] of Object.entries(generated))
      expect(await readFile(join(root, path), 'utf8'), path).to.equal(text);
    const entries = await readdir(join(root, 'share'), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    expect(files).to.have.length(Object.keys(generated).length);
  });
});

describe('The man pages', () => {
  before(function () {
    if (!process.env['CI'] && !(isInstalled('man') && isInstalled('mandoc'))) this.skip();
  });

  it('have no problem that mandoc sees, but that they have no date', async () => {
    const { stdout, error } = spawnSync('mandoc', ['-Tlint', ...(await pagePaths())], { cwd: root, encoding: 'utf8' });
    expect(error).to.equal(undefined);
    expect(stdout.split('\n').filter((line) => line !== '' && !line.includes('missing date'))).to.deep.equal([]);
  });

  it('show without a warning each command with its options, and each setting', async () => {
    const { stdout, stderr } = spawnSync('man', ['--warnings', '-l', ...(await pagePaths())], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, MANWIDTH: '120', LANG: 'C.UTF-8', PAGER: 'cat' },
    });
    expect(stderr).to.equal('');
    const [, program = '', ...pages] = stdout.split(/^KLOSET-GATEWAY.*KLOSET-GATEWAY.*$/m);
    expect(pages).to.have.length(commands.length + 1);
    for (const [i, { name, options }] of commands.entries()) {
      expect(program).to.match(new RegExp(`^ +${name}\\b`, 'm'));
      const [beforeNotes = ''] = (pages[i] ?? '').split(/^(?:NOTES|EXIT STATUS)$/m);
      const shown = [...beforeNotes.matchAll(/^ {7}--([\w.-]+)/gm)].map(([, option]) => option);
      expect(shown, name).to.have.members(options.filter(({ isHidden }) => !isHidden).map((option) => option.name));
    }
    for (const name of settingNames) expect(pages.at(-1)).to.match(new RegExp(`^ {7}${name}: `, 'm'));
  });
});
