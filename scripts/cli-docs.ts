import { join } from 'node:path';
import { commands } from '../src/cli/commands.js';
import { completionScript } from '../src/cli/completion/completion-script.js';
import { exampleConfig } from './config-reference.js';
import { commandPage, configPage, pageName, programPage } from './man-pages.js';

/** The man pages and completion scripts, by their paths relative to the repository's folder. */
export async function generatedFiles(root: string): Promise<Record<string, string>> {
  const man = join('share', 'man');
  const completions = join('share', 'completions');
  return {
    [join(man, 'man1', 'kloset-gateway.1')]: programPage(),
    ...Object.fromEntries(commands.map(({ name }) => [join(man, 'man1', `${pageName(name)}.1`), commandPage(name)])),
    [join(man, 'man5', 'kloset-gateway.yaml.5')]: configPage(await exampleConfig(root)),
    [join(completions, 'bash', 'kloset-gateway')]: completionScript('bash'),
    [join(completions, 'zsh', '_kloset-gateway')]: completionScript('zsh'),
    [join(completions, 'fish', 'kloset-gateway.fish')]: completionScript('fish'),
  };
}
