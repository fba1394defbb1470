import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('The npm package', function () {
  this.timeout(60_000);
  let files: readonly string[];

  before(async () => {
    const { stdout } = await promisify(execFile)('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: root,
    });
    const [packed] = JSON.parse(stdout) as { files: { path: string }[] }[];
    files = packed?.files.map(({ path }) => path) ?? [];
  });

  it('has what it runs with, and nothing that is for developers', () => {
    for (const path of ['bin/kloset-gateway', 'proto/kloset/store/v1/store.proto', 'sample/store/CONFIG', 'README.md'])
      expect(files).to.include(path);
    expect(files.filter((path) => /^(test|bench|src|gen)\/|\.(map|tsbuildinfo)$/.test(path))).to.deep.equal([]);
  });

  it('has documents whose links lead to what is in it', async () => {
    const dead: string[] = [];
    for (const path of files.filter((each) => each.endsWith('.md'))) {
      for (const [, link = ''] of (await readFile(join(root, path), 'utf8')).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
        if (/^https?:/.test(link)) continue;
        const target = normalize(join(dirname(path), link)).replace(/\/$/, '');
        if (!files.some((each) => each === target || each.startsWith(`${target}/`))) dead.push(`${path}: ${link}`);
      }
    }
    expect(dead).to.deep.equal([]);
  });
});
