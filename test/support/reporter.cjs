'use strict';

const { writeFileSync } = require('node:fs');
const { reporters, Runner } = require('mocha');

/**
 * Mocha's spec report, closed by a line that counts: `N passed, N failed`. In CI a skipped test is a failed one: what can't run
 * there is not tested anywhere.
 *
 * With KLOSET_TEST_RESULTS both numbers go to that file, and the line is another one: scripts/test-all adds up several runs.
 */
module.exports = class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      const skipsFail = Boolean(process.env.CI) && pending > 0;
      if (skipsFail) {
        process.stdout.write('Skipped tests fail in CI.\n');
        process.exitCode = 1;
      }
      const skipped = !skipsFail && pending > 0 ? `, ${pending} skipped` : '';
      const failed = failures + (skipsFail ? pending : 0);
      const results = process.env.KLOSET_TEST_RESULTS;
      if (results === undefined) {
        process.stdout.write(`${passes} passed, ${failed} failed${skipped}\n`);
      } else {
        process.stdout.write(`On Node ${process.version}: passed ${passes}, failed ${failed}${skipped}\n`);
        writeFileSync(results, `${passes} ${failed}\n`);
      }
    });
  }

  /** Mocha's way to set the exit code: by the number of failures. */
  done(failures, exit) {
    const skipped = process.env.CI ? this.stats.pending : 0;
    exit(failures + skipped);
  }
};
