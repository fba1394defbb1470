import { commands, type CommandName } from '../src/cli/commands.js';
import { helpPage, type HelpPage } from '../src/cli/help-page.js';
import { configVariable, variableOf } from '../src/config/environment.js';
import { groups } from '../src/config/definition.js';
import { mapSchemas, valueForm } from './config-reference.js';
import { bold, call, entry, indented, italic, lines, manPage, paragraph, subheading, type ManSection } from './roff.js';

/* The man pages: of the program, of each command, and of the configuration file. */

const exitStatus: ManSection = {
  title: 'Exit status',
  blocks: [
    entry(bold('0'), 'It is done, or the gateway was stopped.'),
    entry(
      bold('1'),
      'It failed, or the gateway cannot serve. Of `copy`, `verify` and `repair`: something is missing, differs or is damaged.',
    ),
    entry(bold('2'), 'Wrong usage, or a wrong configuration file.'),
    entry(bold('130'), 'It was interrupted.'),
  ],
};

export function programPage(): string {
  const page = helpPage();
  return manPage({
    name: 'kloset-gateway',
    section: 1,
    title: 'serves plakar Kloset stores over HTTP and gRPC',
    sections: [
      { title: 'Synopsis', blocks: [call(page.synopsis)] },
      { title: 'Description', blocks: [page.summary, ...page.notes].map(paragraph) },
      ...listSections(page),
      {
        title: 'Environment',
        blocks: [
          entry(bold(configVariable), 'The configuration file, if `--config` names none.'),
          entry(bold(variableOf('token')), 'The token for another gateway whose store is opened.'),
          entry(
            `${bold(variableOf(''))}${italic('SETTING')}`,
            `A setting: \`${variableOf('log-level')}\` is \`--log-level\`. The items of lists are separated by commas.`,
          ),
          entry(bold('PLAKAR_REPOSITORY'), 'The location of the store, if none is named.'),
        ],
      },
      exitStatus,
      examples(page),
      seeAlso(['kloset-gateway.yaml(5)', ...commands.map(({ name }) => `${pageName(name)}(1)`)]),
    ],
  });
}

export function commandPage(name: CommandName): string {
  const page = helpPage(name);
  const shown = page.examples.length > 0 ? [examples(page)] : [];
  const notes = page.notes.length > 0 ? [{ title: 'Notes', blocks: page.notes.map(paragraph) }] : [];
  return manPage({
    name: pageName(name),
    section: 1,
    title: page.summary.charAt(0).toLowerCase() + page.summary.slice(1, -1),
    sections: [
      { title: 'Synopsis', blocks: [call(page.synopsis)] },
      { title: 'Description', blocks: [page.summary, ...page.argumentNotes].map(paragraph) },
      ...listSections(page),
      ...notes,
      exitStatus,
      ...shown,
      seeAlso(['kloset-gateway(1)', 'kloset-gateway.yaml(5)']),
    ],
  });
}

/** @param example a configuration file */
export function configPage(example: string): string {
  return manPage({
    name: 'kloset-gateway.yaml',
    section: 5,
    title: 'the configuration file of kloset-gateway',
    sections: [
      {
        title: 'Description',
        blocks: [
          'A file in YAML, which `--config` names. `kloset-gateway check-config --config FILE` shows every problem in it with its line. A running gateway reads it again by itself when it changes, and when it gets SIGHUP.',
          'Options and environment variables override it. Relative paths are relative to its folder.',
        ].map(paragraph),
      },
      {
        title: 'Settings',
        blocks: groups.flatMap(({ title, settings }) => [subheading(title), ...settings.map(settingEntry)]),
      },
      {
        title: 'Maps',
        blocks: Object.entries(mapSchemas()).flatMap(([title, schema]) => [
          subheading(title),
          ...Object.entries(schema?.properties ?? {}).map(([key, { description = '' }]) =>
            entry(bold(key) + (schema?.required?.includes(key) === true ? ' (required)' : ''), description),
          ),
        ]),
      },
      { title: 'Example', blocks: [lines(example)] },
      seeAlso(['kloset-gateway(1)', 'kloset-gateway-check-config(1)', 'kloset-gateway-token-create(1)']),
    ],
  });
}

/** The name of a command's page: `kloset-gateway-token-create`. */
export function pageName(command: CommandName): string {
  return `kloset-gateway-${command.replace(' ', '-')}`;
}

function settingEntry({ name, form, defaultText, description }: (typeof groups)[number]['settings'][number]): string {
  const standard = defaultText === undefined ? '' : ` (default ${defaultText})`;
  return entry(`${bold(name)}: ${italic(valueForm(form))}`, description + standard);
}

/** The options or commands: in one section, with a subheading for each further list. */
function listSections({ lists }: HelpPage): ManSection[] {
  const [first, ...others] = lists;
  if (first === undefined) return [];
  const entries = (list: typeof first): string[] => list.entries.map(({ term, text }) => entry(call(term), text));
  return [
    {
      title: first.title,
      blocks: [...entries(first), ...others.flatMap((list) => [subheading(list.title), ...entries(list)])],
    },
  ];
}

function examples(page: HelpPage): ManSection {
  return {
    title: 'Examples',
    blocks: page.examples.flatMap(({ call: typed, what }) => [
      lines(`kloset-gateway ${typed}`),
      indented([paragraph(what)]),
    ]),
  };
}

function seeAlso(pages: readonly string[]): ManSection {
  const references = pages.map((page) =>
    page.replace(/^(.*)\((\d)\)$/, (_, name: string, section: string) => `${bold(name)}(${section})`),
  );
  return { title: 'See also', blocks: [references.join(',\n')] };
}
