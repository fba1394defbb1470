import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Shell } from '../../../src/cli/completion/completion-script.js';
import { tempFolder } from '../../support/temp.js';

/** Whether a program is there. */
export function isInstalled(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
}

/** Asks a shell what a line can be completed with. */
export interface Completer {
  /** The last words that are offered for a line, with their paths and without what is common to all: `--name=`. */
  readonly complete: (line: string) => Promise<string[]>;
  readonly stop: () => Promise<void>;
}

/**
 * Starts a shell whose completion is set up by a command.
 *
 * @param folder where paths are completed
 */
export async function completerOf(shell: Shell, setUp: string, folder: string): Promise<Completer> {
  return shell === 'fish' ? fish(setUp, folder) : Terminal.start(shell, setUp, folder);
}

/** fish answers without a terminal. */
function fish(setUp: string, folder: string): Completer {
  const script = `${setUp}; complete -C $argv[1] | string replace -r '\\t.*' ''`;
  return {
    complete: async (line) => {
      const args = ['--no-config', '-c', script, line];
      const { stdout, stderr } = spawnSync('fish', args, {
        cwd: folder,
        encoding: 'utf8',
        env: { ...process.env, HOME: folder },
      });
      if (stderr !== '') throw new Error(stderr);
      return plainWords(stdout.split('\n'));
    },
    stop: async () => undefined,
  };
}

/* In bash and zsh, Control-T inserts everything that is offered, and Control-G shows the line and empties it. */

const settings: Readonly<Record<'bash' | 'zsh', (setUp: string) => string>> = {
  bash: (setUp) => `${setUp}
PS1='ready>'
bind 'set enable-bracketed-paste off'
bind '"\\C-t": insert-completions'
bind -x '"\\C-g": printf "LINE[%s]\\n" "$READLINE_LINE"; READLINE_LINE='
`,
  zsh: (setUp) => `autoload -Uz compinit
${setUp}
PS1='ready>'
unset zle_bracketed_paste
zle -C all-matches complete-word _generic
zstyle ':completion:all-matches:*' completer _all_matches _complete
zstyle ':completion:all-matches:*' insert true
bindkey '^T' all-matches
show() { print -r -- "LINE[$BUFFER]"; BUFFER= }
zle -N show
bindkey '^G' show
`,
};

/** A shell in a terminal. */
class Terminal implements Completer {
  private output = '';

  private constructor(private readonly child: ChildProcess) {
    child.stdout?.setEncoding('utf8');
  }

  static async start(shell: 'bash' | 'zsh', setUp: string, folder: string): Promise<Terminal> {
    const home = await tempFolder();
    const command = { bash: `bash --noprofile --rcfile ${home}/.bashrc -i`, zsh: 'zsh -d -i' }[shell];
    await writeFile(join(home, `.${shell}rc`), settings[shell](setUp));
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      cwd: folder,
      env: { ...process.env, HOME: home, ZDOTDIR: home, TERM: 'dumb', COLUMNS: '4000', LANG: 'C.UTF-8' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const terminal = new Terminal(child);
    await terminal.until(/ready>/);
    return terminal;
  }

  async complete(line: string): Promise<string[]> {
    this.child.stdin?.write(`${line}\x14\x07`);
    const [, completed = ''] = await this.until(/LINE\[(.*?)\]\r?\n/);
    const typed = line.slice(line.lastIndexOf(' ') + 1);
    const words = plainWords(completed.slice(line.length - typed.length).split(/(?<!\\) /));
    // What can't be completed stays as it is.
    return words.join() === plainWords([typed]).join() ? [] : words;
  }

  async stop(): Promise<void> {
    const ended = once(this.child, 'close');
    this.child.stdin?.end('exit\n');
    await ended;
  }

  /** Waits for output, and takes all up to its end away. */
  private async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.output);
      if (found !== null) {
        this.output = this.output.slice(found.index + found[0].length);
        return found;
      }
      if (this.child.stdout === null || this.child.exitCode !== null) throw new Error(`ended: ${this.output}`);
      const [chunk] = (await once(this.child.stdout, 'data')) as [string];
      this.output += chunk;
    }
  }
}

/** Sorted, without quotes, without the name before a value, and without what a shell adds behind: a slash, or the `=` of an option. */
function plainWords(words: readonly string[]): string[] {
  const plain = words.map((word) =>
    word
      .replaceAll('\\', '')
      .replace(/^.*=(?=.)/, '')
      .replace(/[/=]$/, ''),
  );
  return [...new Set(plain.filter((word) => word !== ''))].sort();
}
