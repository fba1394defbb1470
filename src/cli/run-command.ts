import type { SettingSources } from '../config/load.js';
import { version } from '../lib/package-info.js';
import { checkConfig } from './check-config.js';
import { helpText } from './help.js';
import { printed, wrongUsage, type Outcome } from './outcome.js';
import type { Command, ServeCommand } from './parse.js';
import { createTokenFor } from './token.js';

/** The environment and the folders that a command depends on. */
export type CommandContext = Pick<SettingSources, 'env' | 'surroundings'>;

/** Runs a command that does its work and ends: all but `serve` and `plugin`. */
export async function runCommand(command: Command, context: CommandContext): Promise<Outcome> {
  switch (command.name) {
    case 'help':
      return printed(helpText());
    case 'version':
      return printed(`kloset-gateway ${version}\n`);
    case 'unknown':
      return wrongUsage(command.problems);
    case 'check-config':
      return checkConfig(sourcesOf(command, context), command.problems);
    case 'token create':
      return createTokenFor(command, context.surroundings);
    case 'serve':
    case 'plugin':
      throw new Error(`${command.name} runs until it is stopped`);
  }
}

/** The sources of a command's settings. */
export function sourcesOf({ flags, configPath }: ServeCommand, context: CommandContext): SettingSources {
  return { flags, configPath, ...context };
}
