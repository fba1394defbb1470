import { expect } from 'chai';
import { page } from '../../../src/frontends/admin/page.js';
import { viewOf, type View } from '../../../src/frontends/admin/view.js';
import type { Status } from '../../../src/watch/status.js';
import {
  awaitedStatus,
  busyStatus,
  days,
  hourMs,
  largeStatus,
  machineStatus,
  nowMs,
  overdueStatus,
  quietStatus,
  storeStatus,
} from './support/status.js';

const whole: View = { all: false };

/** The text of a page as people read it, with single spaces. */
function textOf(status: Status, view = whole): string {
  return page(status, view)
    .replace(/^.*<body>/s, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');
}

/** The names of the machines that a page lists, in their order. */
function listed(status: Status, view = whole): string[] {
  const [, table = ''] = /<table class="machines">(.*?)<\/table>/s.exec(page(status, view)) ?? [];
  return [...table.matchAll(/<th scope="row">(.*?)<\/th>/g)].map(([, name = '']) => name);
}

describe('the status page', () => {
  it('has the machines that are overdue first, and the others by name, numbers in names as numbers', () => {
    expect(listed(busyStatus())).to.deep.equal([
      'laptop-7',
      'mail.example.org',
      'archive',
      'build-4',
      'db-1',
      'new-one',
      'web-1',
      'web-2',
      'web-10',
    ]);
  });

  const headlines: [string, Status['machines'], string][] = [
    [
      'two are overdue',
      [overdueStatus('a', '', 1), overdueStatus('b', '', 2), machineStatus('c', '')],
      '2 of 3 machines are overdue',
    ],
    ['one is overdue', [overdueStatus('a', '', 1), machineStatus('c', '')], '1 of 2 machines is overdue'],
    ['all are on time', [machineStatus('a', ''), machineStatus('b', '')], 'All 2 machines are on time'],
    ['the only one has never backed up', [awaitedStatus('a', '')], 'The machine has yet to make a first backup'],
    [
      'none has ever backed up',
      [awaitedStatus('a', ''), awaitedStatus('b', '')],
      'All 2 machines have yet to make a first backup',
    ],
    [
      'one of those on time has never backed up',
      [machineStatus('a', ''), machineStatus('b', ''), awaitedStatus('c', '')],
      '2 of 3 machines are on time; 1 has yet to make a first backup',
    ],
    [
      'one is overdue, and one has never backed up',
      [overdueStatus('a', '', 1), awaitedStatus('b', '')],
      '1 of 2 machines is overdue; 1 has yet to make a first backup',
    ],
    [
      'one is overdue in two of three stores',
      [overdueStatus('a', 'x', 1), overdueStatus('a', 'y', 1), machineStatus('a', 'z'), machineStatus('b', 'x')],
      '1 of 2 machines is overdue',
    ],
    ['there are none', [], 'No machine has backed up yet'],
  ];
  for (const [what, machines, headline] of headlines) {
    it(`says so if ${what}`, () => expect(textOf(quietStatus({ machines }))).to.include(` ${headline} `));
  }

  it('shows of a machine when it last backed up, how long that took, what it added, and when it is due', () => {
    const text = textOf(quietStatus({ machines: [machineStatus('web-1', 'teams/blue')] }));
    expect(text).to.include('web-1 on time teams/blue 7 h ago 14 Mar 02:30 12 min 1.25 GiB');
    expect(text).to.include('in 19 h 15 Mar 04:30 every 26 h');
    const html = page(quietStatus({ machines: [machineStatus('web-1', 'teams/blue')] }), whole);
    expect(html).to.include('<time datetime="2026-03-14T02:30Z">');
  });

  it('does not say of a machine that has never backed up that it is on time', () => {
    expect(textOf(quietStatus({ machines: [awaitedStatus('web-1', 'teams/blue')] }))).to.include(
      'web-1 no backup yet teams/blue never',
    );
  });

  it('says in words what the strip of days shows', () => {
    const machines = [
      machineStatus('web-1', '', { days: days((day) => ({ completed: day < 25 ? 1 : 0, failed: day > 27 ? 1 : 0 })) }),
    ];
    expect(page(quietStatus({ machines }), whole)).to.include(
      'aria-label="backups on 25 of 30 days, failed on 2, none in the last 5"',
    );
  });

  it('shows how the mirrors of stores are, and what reading their objects has shown, if they have any', () => {
    const mirror = { direction: 'to', lagMs: 5 * 60_000, isBehind: false, missingObjects: 0, missingBytes: 0 } as const;
    const behind = {
      ...mirror,
      direction: 'from',
      lagMs: 3 * hourMs,
      isBehind: true,
      problem: 'no route to host',
    } as const;
    const verification = { checkedObjects: 100, checkedBytes: 1000, plannedObjects: 1234, damagedObjects: 0 };
    const text = textOf(
      quietStatus({
        stores: [
          storeStatus('blue', { mirror, verification }),
          storeStatus('red', {
            mirror: { ...behind, missingObjects: 12, missingBytes: 1024 ** 3 },
            verification: { ...verification, checkedObjects: 1234, damagedObjects: 2, completedMs: nowMs - hourMs },
          }),
          storeStatus('grey'),
        ],
      }),
    );
    expect(text).to.include('complete 5 min ago').and.include('no damage found 100 of 1 234 objects read');
    expect(text).to.include('behind for 3 h this is the second copy 12 objects (1.00 GiB) to copy no route to host');
    expect(text).to.include('2 objects damaged 1 h ago 14 Mar 08:30').and.include(' none never ');
    expect(text).to.include('Mirror behind for 3 h : red').and.include('2 objects damaged : red');
    expect(textOf(quietStatus({ stores: [storeStatus('grey')] }))).to.not.match(/Mirror|Objects checked/);
  });

  it('tells what needs a look besides overdue machines', () => {
    const text = textOf(busyStatus());
    for (const alert of [
      'The last backup of one machine failed',
      'A lock is 5 h old : teams/red',
      'Quota nearly used up : teams/red',
      'Disk nearly full : teams/red',
      'Store unreachable : off-site',
      'The TLS certificate expires in 9 d',
    ]) {
      expect(text).to.include(alert);
    }
    const fine = storeStatus('a', { locks: 1, oldestLockMs: nowMs - hourMs / 5, freeBytes: 10 * 1024 ** 3 });
    expect(textOf(quietStatus({ stores: [fine] }))).to.not.match(/A lock|Disk nearly full/);
    const unwarned = quietStatus({ stores: [storeStatus('a', { freeBytes: 0 })], warnFreeBytes: 0 });
    expect(textOf(unwarned)).to.not.include('Disk nearly full');
  });

  it('shows the sessions, the refusals and the state of the stores', () => {
    const text = textOf(busyStatus());
    for (const part of [
      'web-2 192.0.2.17 teams/blue backup 25 min ago 14 Mar 09:05 9.40 GiB 0 B 8.01 MiB/s just now',
      'db-1 192.0.2.17 teams/red backup failed the connection was lost 40 min ago',
      'web-1 192.0.2.17 teams/blue 2 min ago 14 Mar 09:28 delete permission_denied your access to this store is append',
      'off-site unreachable the SSH server does not respond: connection timed out 212 GiB',
      'default store not looked at yet not counted yet nothing none unknown',
      '97 % of 100 GiB',
    ]) {
      expect(text.replaceAll('\u00a0', ' ')).to.include(part);
    }
  });

  it('takes no name, address or reason for HTML', () => {
    const hostile = `"><img src=x onerror=alert(1)>'&amp;<!--</script>`;
    const session = { store: hostile, principal: hostile, address: hostile, startMs: 0, newObjects: 1, newBytes: 1 };
    const more = { deletedObjects: 0, checkpoints: 0, readBytes: 0 };
    const html = page(
      quietStatus({
        version: hostile,
        stores: [storeStatus(hostile, { isReachable: false, problem: hostile })],
        machines: [machineStatus(hostile, hostile, { lastFailure: { endMs: 1, reason: hostile } })],
        openSessions: [{ ...session, ...more, kind: 'backup', lastMs: 1, bytesPerSecond: 1 }],
        sessions: [{ ...session, ...more, kind: 'backup', outcome: 'failed', reason: hostile, endMs: 1 }],
        refusals: [{ ...session, timeMs: 1, operation: hostile, code: hostile, reason: hostile }],
      }),
      { all: false, store: hostile },
    );
    expect(html).to.not.match(/<img|<!--|x onerror=alert\(1\)>/);
    // Whoever undoes the escaping once has what was given.
    expect(html).to.include('&quot;&gt;&lt;img src=x onerror=alert(1)&gt;&#39;&amp;amp;&lt;!--&lt;/script&gt;');
    // In attributes, too, there is no quote but the ones around them.
    const tag = /^<[a-z0-9]+(\s+[a-z-]+(="[^"<>]*")?|\s)*\/?>$/i;
    for (const [found] of html.matchAll(/<[a-z][^>]*>/g)) expect(found).to.match(tag);
  });

  it('shows what is about one store', () => {
    const view: View = { all: false, store: 'teams/red' };
    expect(listed(busyStatus(), view)).to.deep.equal(['build-4', 'db-1']);
    const text = textOf(busyStatus(), view);
    expect(text).to.include('Only teams/red .').and.to.include('All 2 machines are on time');
    expect(text).to.not.include('web-1');
  });

  it('reads from the query which store is meant, the default one too, and knows when there is no such store', () => {
    const of = (query: string) => viewOf(new URLSearchParams(query), busyStatus());
    expect(of('')).to.deep.equal({ store: undefined, all: false });
    expect(of('store=teams/red&all')).to.deep.equal({ store: 'teams/red', all: true });
    expect(of('store=')).to.deep.equal({ store: '', all: false });
    expect(of('store=nowhere')).to.equal(undefined);
  });

  it('has 200 of 4000 machines, and links to all of them and to those of one store', () => {
    const status = largeStatus();
    expect(listed(status)).to.have.length(200);
    expect(page(status, whole)).to.include('<a href="?all">Show all</a>').and.to.include('href="?store=teams/store-7"');
    expect(listed(status, { all: true })).to.have.length(4000);
    expect(page(status, { all: true })).to.have.length.below(3.2e6);
    expect(listed(status, { all: false, store: 'teams/store-7' })).to.have.length(200);
  });
});
