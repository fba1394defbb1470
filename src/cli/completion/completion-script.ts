import { bashScript } from './bash.js';
import { fishScript } from './fish.js';
import { zshScript } from './zsh.js';

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** A shell that can complete the command line. */
export type Shell = keyof typeof scripts;

export const shells = Object.keys(scripts) as readonly Shell[];

export function isShell(name: string): name is Shell {
  return Object.hasOwn(scripts, name);
}

/** The script with which a shell completes commands, options and their values. It doesn't start the program. */
export function completionScript(shell: Shell): string {
  return scripts[shell]();
}
