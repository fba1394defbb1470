import { expect } from 'chai';
import { withFailureDocument } from '../../src/cli/failure-document.js';
import { interrupted, printed, refused } from '../../src/cli/outcome.js';
import { run } from './support/undo.js';

describe('a command with --json that fails', () => {
  it('prints a document with the error, and still tells it on stderr', async () => {
    for (const words of [
      ['info', '/nonexistent'],
      ['locks', 'list', '/nonexistent'],
      ['verify', '/nonexistent'],
      ['repair', '/nonexistent', '--from', '/elsewhere'],
      ['verify', '/nonexistent', '--sample', 'much'],
      ['locks', 'remove', '/nonexistent'],
    ]) {
      const { exitCode, stdout, stderr } = await run(...words, '--json');
      expect(exitCode, words.join(' ')).to.be.oneOf([1, 2]);
      const { error } = JSON.parse(stdout) as { error: string };
      expect(error).not.to.equal('');
      expect(stderr).to.include(`kloset-gateway: ${error}\n`);
    }
  });

  it('names every problem, without warnings and advice', () => {
    const outcome = refused(['one', 'two']);
    const { stdout } = withFailureDocument({ ...outcome, stderr: `warning: other\n${outcome.stderr}Try --help.\n` });
    expect(JSON.parse(stdout)).to.deep.equal({ error: 'one; two' });
    expect(JSON.parse(withFailureDocument(interrupted([])).stdout)).to.deep.equal({ error: 'interrupted' });
  });

  it('keeps the document that it has', () => {
    const damaged = { ...printed('{}\n'), exitCode: 1 } as const;
    expect(withFailureDocument(damaged)).to.equal(damaged);
    expect(withFailureDocument(printed('')).stdout).to.equal('');
  });
});

describe('a store of the configuration file', () => {
  it('is asked for with the file, and after a command with --store', async () => {
    const withoutFile = await run('copy', '/srv/blue', '@green');
    expect(withoutFile.stderr).to.equal(
      'kloset-gateway: "green" is a store of a configuration file: name that with --config FILE\n',
    );
    const asLocation = await run('verify', '@blue', '--config', 'A.yaml');
    expect(asLocation.exitCode).to.equal(2);
    expect(asLocation.stderr).to.include('@blue: name a store of the configuration file with --store blue');
  });
});
