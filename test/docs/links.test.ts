import { expect } from 'chai';
import { existsSync, readdirSync } from 'node:fs';
import { posix } from 'node:path';
import { pages, readPage, root } from './pages.js';

/** A link of a page. */
interface Link {
  readonly path: string;
  readonly anchor: string;
  readonly text: string;
}

/** The Markdown without what is no prose: blocks of code, and code in a line. */
function prose(page: string): string {
  return page.replace(/^( *)```[^]*?^\1```$/gm, '').replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()#]/g, ' '));
}

/** The links of a page that lead to files of the repository; paths are relative to its root. */
function linksOf(file: string): Link[] {
  return [...prose(readPage(file)).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path = '', anchor = ''] = target.split('#');
      return { path: path === '' ? file : posix.join(posix.dirname(file), path), anchor, text: `${file}: ${target}` };
    });
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(file: string): Set<string> {
  const seen = new Map<string, number>();
  const page = readPage(file).replace(/^( *)```[^]*?^\1```$/gm, '');
  const anchors = [...page.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => {
    const name = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-');
    const count = seen.get(name) ?? 0;
    seen.set(name, count + 1);
    return count === 0 ? name : `${name}-${count}`;
  });
  return new Set(anchors);
}

describe('The documentation', () => {
  for (const page of pages) {
    it(`leads from ${page} to files and headings that exist`, () => {
      const dead = linksOf(page).filter(({ path, anchor }) => {
        if (!existsSync(`${root}/${path}`)) return true;
        return anchor !== '' && path.endsWith('.md') && !anchorsOf(path).has(anchor);
      });
      expect(dead.map(({ text }) => text)).to.deep.equal([]);
    });
  }

  it('has each of its pages and drawings in the index or on a page', () => {
    const linked = new Set(pages.flatMap((page) => linksOf(page)).map(({ path }) => path));
    const all = readdirSync(`${root}/docs`).map((name) => `docs/${name}`);
    expect(all.filter((file) => file !== 'docs/README.md' && !linked.has(file))).to.deep.equal([]);
    expect([...linked]).to.include('docs/README.md');
  });

  it('has a README of five screens', () => {
    const words = readPage('README.md').split(/\s+/).length;
    const lines = readPage('README.md').split('\n').length;
    expect(words, 'words').to.be.below(1500);
    expect(lines, 'lines').to.be.below(250);
  });
});
