import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commands } from '../../src/cli/commands.js';
import { completionScript, shells } from '../../src/cli/completion/completion-script.js';
import { accessLevels } from '../../src/core/access.js';
import { program } from '../support/program.js';
import { tempFolder } from '../support/temp.js';
import { completerOf, isInstalled, type Completer } from './support/shells.js';

const scripts = fileURLToPath(new URL('../../share/completions', import.meta.url));

const firstWords = [...new Set(commands.map(({ name }) => name.split(' ')[0] ?? ''))];

/** What is offered for a line, in a folder with the folder `my stores` and the file `my.pem`. */
const offered: Readonly<Record<string, readonly string[]>> = {
  '': [...firstWords, 'help'],
  tok: ['token'],
  'token ': ['create', 'list', 'revoke'],
  'token r': ['revoke'],
  'help ': firstWords,
  'help trash ': ['list', 'purge', 'restore'],
  'help serve ': [],
  '--v': ['--version'],
  'completion ': [...shells],
  // Options
  'serve --log-f': ['--log-format'],
  'serve --log-level ': ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
  'serve --log-level=': ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
  'serve --listen ': [],
  'serve --listen :9876 --dura': ['--durability'],
  'serve --listen=unix:/x --durability fsync --allow-w': ['--allow-write'],
  'token create web-1 --access ': accessLevels,
  'token create web-1 --access teams/blue=': accessLevels,
  'token create web-1 --access=teams/blue=r': ['read-only'],
  // Paths
  'serve m': ['my stores'],
  'serve --sample m': ['my stores'],
  'verify --sample m': [],
  'serve --cert m': ['my stores', 'my.pem'],
  'serve --cert=my.': ['my.pem'],
  'serve --state-dir m': ['my stores'],
  'history --ssh-config n': ['none'],
  'history --ssh-config my.': ['my.pem'],
  'copy m': ['my stores'],
  'copy /x m': ['my stores'],
  'verify --against m': ['my stores'],
  'token create m': [],
};

const setUps = [
  { shell: 'bash', how: 'sourced', setUp: `source ${scripts}/bash/kloset-gateway` },
  { shell: 'zsh', how: 'found in fpath', setUp: `fpath=(${scripts}/zsh $fpath); compinit -u -D` },
  { shell: 'zsh', how: 'sourced', setUp: `compinit -u -D; source ${scripts}/zsh/_kloset-gateway` },
  { shell: 'fish', how: 'sourced', setUp: `source ${scripts}/fish/kloset-gateway.fish` },
] as const;

for (const { shell, how, setUp } of setUps) {
  describe(`The completion in ${shell}, ${how}`, () => {
    let completer: Completer;

    before(async function () {
      if (!process.env['CI'] && !isInstalled(shell)) this.skip();
      const folder = await tempFolder();
      await mkdir(join(folder, 'my stores'));
      await writeFile(join(folder, 'my.pem'), '');
      completer = await completerOf(shell, setUp, folder);
    });

    after(() => completer?.stop());

    it('offers commands, options, values and paths', async () => {
      for (const [line, words] of Object.entries(offered))
        expect(await completer.complete(`kloset-gateway ${line}`), line).to.deep.equal([...words].sort());
    });

    it('offers the options of each command, and no others', async () => {
      for (const { name, options } of commands) {
        const names = options.filter(({ isHidden }) => isHidden !== true).map((option) => `--${option.name}`);
        expect(await completer.complete(`kloset-gateway ${name} --`), name).to.have.members([...names, '--help']);
      }
    });
  });
}

describe('kloset-gateway completion', () => {
  it('prints the script of a shell', () => {
    const { status, stdout } = spawnSync(process.execPath, [...program, 'completion', 'zsh'], { encoding: 'utf8' });
    expect({ status, stdout }).to.deep.equal({ status: 0, stdout: completionScript('zsh') });
  });
});
