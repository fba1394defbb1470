import { configVariable } from '../config/environment.js';
import type { SettingSources } from '../config/load.js';
import { version } from '../lib/package-info.js';
import { resolvePath } from '../lib/paths.js';
import { checkConfig } from './check-config.js';
import { helpText } from './help.js';
import { printed, wrongUsage, type Outcome } from './outcome.js';
import type { Command, ServeCommand } from './parse.js';
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
      return wrongUsage(command.problems);
    case 'check-config':
      return checkConfig(sourcesOf(command, context), command.problems);
    case 'token create':
      return createToken(command, configFileOf(command, context));
    case 'token list':
      return listTokens(configFileOf(command, context));
    case 'token revoke':
      return revokeToken(command, configFileOf(command, context));
    case 'serve':
    case 'plugin':
      throw new Error(`${command.name} runs until it is stopped`);
  }
}

/** The sources of a command's settings. */
export function sourcesOf({ flags, configPath }: ServeCommand, context: CommandContext): SettingSources {
  return { flags, configPath, ...context };
}

/** The absolute path of the configuration file that a command or the environment names, if any. */
function configFileOf(
  { configPath }: { readonly configPath: string | undefined },
  { env, surroundings }: CommandContext,
): string | undefined {
  const written = configPath ?? (env[configVariable] || undefined);
  return written === undefined ? undefined : resolvePath(written, surroundings);
}
