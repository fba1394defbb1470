import { configPathOf, type SettingSources } from '../config/load.js';
import { version } from '../lib/package-info.js';
import { checkConfig } from './check-config.js';
import { helpText } from './help.js';
import { printed, wrongUsage, type Outcome } from './outcome.js';
import type { Command } from './parse.js';
import { createToken, listTokens, revokeToken } from './token.js';

/** The environment and the folders that a command depends on. */
export type CommandContext = Pick<SettingSources, 'env' | 'surroundings'>;

/** Runs a command that does its work and ends: all but `serve` and `plugin`. */
export async function runCommand(command: Command, context: CommandContext): Promise<Outcome> {
  switch (command.name) {
    case 'help':
      return printed(helpText(command.about));
    case 'version':
      return printed(`kloset-gateway ${version}\n`);
    case 'unknown':
      return wrongUsage(command.problems, command.command);
    case 'check-config':
      return checkConfig({ ...command, ...context }, command.problems);
    case 'token create':
      return createToken(command, configPathOf({ ...command, ...context }));
    case 'token list':
      return listTokens(configPathOf({ ...command, ...context }));
    case 'token revoke':
      return revokeToken(command, configPathOf({ ...command, ...context }));
    case 'serve':
    case 'plugin':
      throw new Error(`${command.name} runs until it is stopped`);
  }
}
