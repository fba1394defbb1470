import { expect } from 'chai';
import { readdir } from 'node:fs/promises';
import { deployPath, readDashboard } from './support/files.js';
import { hasPrometheus, promtool } from './support/prometheus.js';

describe('What deploy/ has for Prometheus', () => {
  before(function () {
    if (!hasPrometheus()) this.skip();
  });

  it('is a configuration that Prometheus takes, with its rules', () => {
    const { isFine, output } = promtool(['check', 'config', deployPath('prometheus/prometheus.yaml')]);
    expect(isFine, output).to.equal(true);
    expect(output).to.match(/1 rule files found[^]*\d\d rules found/);
  });

  it('alerts when something is wrong, and only then', async () => {
    const tests = (await readdir(deployPath('prometheus'))).filter((name) => name.endsWith('.test.yaml'));
    expect(tests).to.not.deep.equal([]);
    const { isFine, output } = promtool(['test', 'rules', ...tests.map((name) => deployPath(`prometheus/${name}`))]);
    expect(isFine, output).to.equal(true);
  });
});

describe('The dashboard', () => {
  it('takes all its data from the data source that is chosen', async () => {
    const { panels, templating } = await readDashboard();
    expect(templating.list.map(({ name }) => name)).to.include('datasource');
    for (const { title, type, datasource, targets = [] } of panels.filter((panel) => panel.type !== 'row')) {
      expect(targets, title).to.not.deep.equal([]);
      for (const source of [datasource, ...targets.map((target) => target.datasource)])
        expect(source?.uid, `${title}, ${type}`).to.equal('${datasource}');
    }
  });

  it('has panels that are beside each other', async () => {
    const { panels } = await readDashboard();
    expect(new Set(panels.map(({ id }) => id)).size).to.equal(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).to.equal(cells.length);
    expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).to.equal(24);
  });
});
