import axe from 'axe-core';
import { expect } from 'chai';
import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import type { Status } from '../../../src/watch/status.js';
import { ServedAdmin } from './support/serving.js';
import { busyStatus, machineStatus, quietStatus } from './support/status.js';

const executablePath = '/usr/bin/chromium';

/** What axe reports of a page. */
interface AxeReport {
  readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[];
}

/** The same status with names and reasons that are as long as they may be, and can't be broken at spaces. */
function withLongNames(status: Status): Status {
  const long = <T extends object>(all: readonly T[], keys: readonly string[]): T[] =>
    all.map((each) => ({ ...each, ...Object.fromEntries(keys.map((key) => [key, `${key}${'x'.repeat(190)}`])) }));
  const keys = ['principal', 'store', 'address', 'reason'];
  return {
    ...status,
    stores: long(status.stores, ['name', 'problem']),
    machines: long(status.machines, ['principal', 'store']),
    openSessions: long(status.openSessions, keys),
    sessions: long(status.sessions, keys),
    refusals: long(status.refusals, keys),
  };
}

describe('the status page in Chromium', () => {
  let browser: Browser;
  let served: ServedAdmin;
  /** What the browser reported: errors of scripts, blocked resources and requests that failed. */
  let complaints: string[];

  before(async function () {
    if (!existsSync(executablePath)) return this.skip();
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  });

  after(() => browser?.close());

  beforeEach(async () => {
    served = await ServedAdmin.start();
    served.status = busyStatus();
    complaints = [];
  });

  afterEach(async () => {
    for (const context of browser?.contexts() ?? []) await context.close();
    await served?.close();
  });

  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    const page = await browser.newPage(options);
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => complaints.push(message.text()));
    await page.goto(served.url);
    return page;
  }

  for (const width of [360, 1280]) {
    it(`has nothing that axe finds, and fits, at ${width} pixels, light and dark`, async () => {
      const page = await open({ viewport: { width, height: 900 } });
      await page.locator('summary').click();
      await page.evaluate(axe.source);
      // Of what axe looks at, only the contrast depends on the colours.
      for (const [colorScheme, rules] of [
        ['light', '{}'],
        ['dark', '{ runOnly: ["color-contrast"] }'],
      ] as const) {
        await page.emulateMedia({ colorScheme });
        const { violations } = (await page.evaluate(
          `axe.run({ resultTypes: ["violations"], ...${rules} })`,
        )) as AxeReport;
        const found = violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]);
        expect(found, colorScheme).to.deep.equal([]);
      }
      const widthNeeded = 'document.documentElement.scrollWidth';
      expect(await page.evaluate(widthNeeded)).to.equal(width);
      served.status = withLongNames(busyStatus());
      await page.goto(served.url);
      expect(await page.evaluate(widthNeeded), 'with long names').to.equal(width);
      expect(complaints).to.deep.equal([]);
    });
  }

  it('shows what the status says, also to those who hear it', async () => {
    const page = await open();
    expect(await page.title()).to.equal('2 overdue – kloset-gateway');
    const machines = page.getByRole('table', { name: 'Backups of each machine, overdue ones first' });
    const headers = await machines.getByRole('rowheader').allInnerTexts();
    expect([...headers].sort()).to.deep.equal(
      busyStatus()
        .machines.map(({ principal }) => principal)
        .sort(),
    );
    const row = machines.getByRole('row').filter({ hasText: 'web-2' });
    expect(await row.getByRole('cell').allInnerTexts()).to.deep.equal([
      'on time',
      'teams/blue',
      '7 h ago 14 Mar 02:30',
      '12 min',
      '1.25 GiB',
      '',
      'in 19 h 15 Mar 04:30 every 26 h',
    ]);
    expect(await row.getByRole('img').getAttribute('aria-label')).to.equal('backups on 26 of 30 days, failed on 3');
    const charts = page.getByRole('region', { name: 'The last hour' }).getByRole('img');
    expect(await charts.first().getAttribute('aria-label')).to.match(
      /^Requests a minute: \d+ in this one, at most 550$/,
    );
  });

  it('can be used with the keyboard', async () => {
    const page = await open();
    await page.keyboard.press('Tab');
    const focused = 'document.activeElement';
    expect(await page.evaluate(`${focused}.textContent`)).to.equal('Skip to the content');
    expect(await page.evaluate(`${focused}.getBoundingClientRect().x >= 0`)).to.equal(true);
    await page.keyboard.press('Enter');
    // The first link of the content, past the navigation.
    await page.keyboard.press('Tab');
    expect(await page.evaluate(`${focused}.textContent`)).to.equal('off-site');
    await page.keyboard.press('Enter');
    await page.getByText('Only off-site').waitFor();
    expect(await page.getByRole('heading', { level: 1 }).innerText()).to.equal('1 of 2 machines is overdue');
  });

  it('refreshes in place: focus, scrolling and opened details stay', async () => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 500 } });
    await page.clock.install();
    await page.goto(served.url);
    await page.locator('summary').click();
    await page.getByRole('table').getByRole('link', { name: 'default store' }).first().focus();
    await page.evaluate(
      'scrollTo(0, 150); window.before = [document.activeElement, document.querySelector("details"), scrollY]',
    );
    const status = busyStatus();
    served.status = {
      ...status,
      machines: status.machines.map((machine) => ({ ...machine, isOverdue: machine.principal === 'laptop-7' })),
    };
    await page.clock.fastForward(11_000);
    await page.getByRole('heading', { name: '1 of 9 machines is overdue' }).waitFor();
    expect(await page.title()).to.equal('1 overdue – kloset-gateway');
    const kept =
      '[document.activeElement, document.querySelector("details"), scrollY].map((each, i) => each === before[i])';
    expect(await page.evaluate(kept)).to.deep.equal([true, true, true]);
    expect(await page.locator('details[open]').count()).to.equal(1);
  });

  it('says so when the gateway does not answer any more, and takes it back when it does', async () => {
    served.status = quietStatus({ machines: [machineStatus('web-1', '')] });
    const page = await browser.newPage();
    await page.clock.install();
    await page.goto(served.url);
    const banner = page.getByText('Not up to date');
    await page.route('**/*', (route) => route.abort());
    await page.clock.fastForward(11_000);
    await banner.waitFor();
    expect(await page.getByRole('heading', { name: 'The machine is on time' }).count()).to.equal(1);
    await page.unroute('**/*');
    await page.clock.fastForward(11_000);
    await banner.waitFor({ state: 'detached' });
  });
});
