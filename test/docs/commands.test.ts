import { expect } from 'chai';
import { parseCommandLine } from '../../src/cli/parse.js';
import { pages, readPage } from './pages.js';

/** The program's arguments wherever a page calls it in a block of shell commands. */
function callsOf(page: string): string[][] {
  const blocks = [...readPage(page).matchAll(/^( *)```(?:sh|console)\n([^]*?)^\1```$/gm)].map(
    ([, , block = '']) => block,
  );
  return blocks
    .flatMap((block) => block.replaceAll('\\\n', ' ').split('\n'))
    .flatMap((line) => /^(?:.*[\s/])?kloset-gateway ([a-z].*)$/.exec(line)?.[1] ?? [])
    .map(wordsOf);
}

/** The words of a command up to where it ends: at a comment, an operator, or the end of a substitution. */
function wordsOf(command: string): string[] {
  const [simple = ''] = /^(?:'[^']*'|"[^"]*"|[^'"#|&;>)]|(?<=\S)#)*/.exec(command) ?? [];
  return (simple.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? []).map((word) =>
    word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'),
  );
}

describe('The commands in the documentation', () => {
  it('are there to be checked', () => {
    expect(pages.flatMap(callsOf)).to.have.length.above(40);
  });

  for (const page of pages) {
    it(`in ${page} are what the program takes`, () => {
      for (const args of callsOf(page)) {
        const command = parseCommandLine(args);
        expect('problems' in command ? command.problems : [], args.join(' ')).to.deep.equal([]);
      }
    });
  }
});
