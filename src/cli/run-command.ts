import { configPathOf } from '../config/load.js';
import { version } from '../lib/package-info.js';
import { checkConfig } from './check-config.js';
import { completionScript } from './completion/completion-script.js';
import { copy } from './copy.js';
import { withFailureDocument } from './failure-document.js';
import { helpText } from './help.js';
import { history } from './history.js';
import { info } from './info.js';
import { listLocks, removeLocks } from './locks.js';
import { testNotifications } from './notify.js';
import { printed, wrongUsage, type Outcome } from './outcome.js';
import type { Command } from './command-types.js';
import { repair } from './repair.js';
import { restoreStates } from './restore-states.js';
import type { StoreContext } from './named-store.js';
import { onTrash } from './store-command.js';
import { createToken, listTokens, revokeToken } from './token.js';
import { listTrash, purgeTrash, restoreTrash } from './trash.js';
import { verify } from './verify.js';

/** What commands depend on: the environment, folders, and what opening a store takes. */
export type CommandContext = StoreContext;

/** Runs a command that does its work and ends: all but `serve` and `plugin`. With `--json` there is a document, whatever becomes of it. */
export async function runCommand(command: Command, context: CommandContext): Promise<Outcome> {
  let hasPrinted = false;
  const print = (text: string): Promise<void> => {
    hasPrinted = true;
    return context.print(text);
  };
  const outcome = await run(command, { ...context, print });
  return 'json' in command && command.json === true && !hasPrinted ? withFailureDocument(outcome) : outcome;
}

async function run(command: Command, context: CommandContext): Promise<Outcome> {
  switch (command.name) {
    case 'help':
      return printed(helpText(command.about));
    case 'completion':
      return printed(completionScript(command.shell));
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
    case 'notify test':
      return testNotifications({ ...command, ...context, flags: {} });
    case 'history':
      return onTrash(command, context, history);
    case 'restore-states':
      return onTrash(command, context, restoreStates);
    case 'trash list':
      return onTrash(command, context, listTrash);
    case 'trash restore':
      return onTrash(command, context, restoreTrash);
    case 'trash purge':
      return onTrash(command, context, purgeTrash);
    case 'copy':
      return copy(command, context);
    case 'verify':
      return verify(command, context);
    case 'repair':
      return repair(command, context);
    case 'info':
      return info(command, context);
    case 'locks list':
      return listLocks(command, context);
    case 'locks remove':
      return removeLocks(command, context);
    case 'serve':
    case 'plugin':
      throw new Error(`${command.name} runs until it is stopped`);
  }
}
