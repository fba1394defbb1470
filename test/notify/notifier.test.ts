import { expect } from 'chai';
import { createHmac } from 'node:crypto';
import { appendFile, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PrincipalConfig, WebhookConfig } from '../../src/config/types.js';
import { Notifier, type NotifierOptions } from '../../src/notify/notifier.js';
import { deferred } from '../support/deferred.js';
import { eventually } from '../support/store.js';
import { tempFolder } from '../support/temp.js';
import { Receiver, type Answer } from './support/receiver.js';
import { event, Lines, notifyOf, upTo, webhook } from './support/setup.js';

const hourMs = 3_600_000;
const quick = { firstPauseMs: 1, maxPauseMs: 5, graceMs: 1 };

describe('Notifier', () => {
  let stateDir: string;
  let lines: Lines;
  let receiver: Receiver;
  let url: string;
  let nowMs: number;
  let outcomes: string[];
  const opened: Notifier[] = [];

  beforeEach(async () => {
    stateDir = join(await tempFolder(), 'state');
    lines = new Lines();
    receiver = await Receiver.start();
    url = `http://${receiver.host}/hook?key=s3cret`;
    nowMs = Date.parse('2026-11-23T15:14:06Z');
    outcomes = [];
  });

  afterEach(async () => {
    receiver.close();
    await Promise.all(opened.splice(0).map((each) => each.close()));
  });

  async function open(options: Partial<NotifierOptions> = {}): Promise<Notifier> {
    const onDelivered = (channel: string, outcome: string): void => void outcomes.push(`${channel} ${outcome}`);
    const standard = { stateDir, log: lines, now: () => nowMs, limits: quick, onDelivered };
    const notifier = await Notifier.open({ ...standard, ...options });
    opened.push(notifier);
    return notifier;
  }

  function configure(notifier: Notifier, webhooks: readonly WebhookConfig[], pings: Record<string, string> = {}): void {
    const principals: Pick<PrincipalConfig, 'name' | 'pings'>[] = [
      { name: 'web-1', pings: new Map(Object.entries(pings)) },
    ];
    notifier.configure({ notify: notifyOf({ webhooks }), principals });
  }

  async function started(...webhooks: WebhookConfig[]): Promise<Notifier> {
    const notifier = await open();
    configure(notifier, webhooks.length > 0 ? webhooks : [webhook(url)]);
    return notifier;
  }

  const sent = (notifier: Notifier): Promise<true> => eventually(async () => notifier.pending === 0, 'all is sent');
  const queueFile = (): Promise<string> => readFile(join(stateDir, 'notifications.jsonl'), 'utf8');
  /** The ids of the events in the file. */
  const idsInFile = async (): Promise<string[]> =>
    (await queueFile())
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { event: { id: string } }).event.id);

  it('sends an event as JSON, signed with the secret, which may be replaced, only where it is wanted', async () => {
    const file = join(await tempFolder(), 'webhook.key');
    await writeFile(file, 'first\r\nnot a part of it\n');
    const other = await Receiver.start();
    const notifier = await started(
      webhook(url, { secret: { file }, events: new Set(['overdue']) }),
      webhook(`http://${other.host}/`, { events: new Set(['removal']) }),
    );
    notifier.notify(event(0));
    notifier.notify(event(1, { event: 'removal' }));
    await sent(notifier);
    await writeFile(file, 'second\n');
    notifier.notify(event(2));
    await sent(notifier);
    other.close();
    expect(other.ids).to.deep.equal(['1']);
    expect(other.taken[0]?.headers).to.not.have.property('x-kloset-gateway-signature');
    expect(receiver.ids).to.deep.equal(['0', '2']);
    const [first, second] = receiver.taken;
    expect(first).to.include({ method: 'POST', path: '/hook?key=s3cret' });
    expect(JSON.parse(first?.body ?? '')).to.deep.equal(event(0));
    expect(first?.headers).to.include({
      'content-type': 'application/json',
      'x-kloset-gateway-event': 'overdue',
      'x-kloset-gateway-delivery': '0',
    });
    expect(first?.headers['user-agent']).to.match(/^kloset-gateway\/\d/);
    for (const [taken, key] of [
      [first, 'first'],
      [second, 'second'],
    ] as const) {
      const signature = createHmac('sha256', key)
        .update(taken?.body ?? '')
        .digest('hex');
      expect(taken?.headers['x-kloset-gateway-signature']).to.equal(`sha256=${signature}`);
    }
  });

  it('sends every event once its receiver is back, each once and in order, and says so once', async () => {
    const answers: Answer[] = ['broken', 500, 302, 404, 401, 429, 'broken', 503];
    receiver.answer = () => answers.shift() ?? 200;
    const notifier = await started();
    for (let i = 0; i < 20; i++) notifier.notify(event(i));
    await sent(notifier);
    expect(receiver.ids).to.deep.equal(upTo(20));
    expect(receiver.refused).to.equal(8);
    expect(lines.levels()).to.deep.equal(['warn', 'info']);
    expect(outcomes.filter((each) => each === 'webhook sent')).to.have.length(20);
    expect(outcomes.filter((each) => each === 'webhook failed')).to.have.length(8);
    expect(lines.text()).to.include(receiver.host).and.to.not.include('s3cret');
  });

  it('keeps what is not sent over a restart, without the URL, and readable by nobody else', async () => {
    receiver.answer = () => 'broken';
    const first = await started();
    for (let i = 0; i < 5; i++) first.notify(event(i));
    await eventually(async () => receiver.refused > 1 && (await idsInFile()).length === 5, 'a crash would lose none');
    await first.close();
    expect(await idsInFile()).to.deep.equal(upTo(5));
    expect(await queueFile())
      .to.not.include('s3cret')
      .and.to.not.include('127.0.0.1');
    expect((await stat(join(stateDir, 'notifications.jsonl'))).mode & 0o777).to.equal(0o600);

    receiver.answer = () => 200;
    const second = await open();
    expect(second.pending).to.equal(5);
    configure(second, [webhook(url)]);
    second.notify(event(5));
    await sent(second);
    await second.close();
    expect(receiver.ids).to.deep.equal(upTo(6));
    expect(await queueFile()).to.equal('');
  });

  it('repeats at most the one event that was being sent, with its id, and stops in spite of a silent receiver', async () => {
    const inFile: string[][] = [];
    receiver.answer = async () => {
      // What a crash at this moment would leave.
      inFile.push(await idsInFile());
      return inFile.length < 4 ? 200 : 'nothing';
    };
    const first = await started();
    for (let i = 0; i < 6; i++) first.notify(event(i));
    await eventually(async () => receiver.taken.length === 4, 'the fourth is being sent');
    await first.close();
    inFile.slice(1).forEach((ids, i) => expect(ids, `while ${i + 1} is sent`).to.deep.equal(upTo(6).slice(i + 1)));
    receiver.answer = () => 200;
    await sent(await started());
    expect(receiver.ids).to.deep.equal(['0', '1', '2', '3', '3', '4', '5']);
  });

  it('does not let one receiver wait for another', async () => {
    const silent = await Receiver.start();
    silent.answer = () => 'nothing';
    const notifier = await started(webhook(`http://${silent.host}/`), webhook(url), webhook(url));
    for (let i = 0; i < 3; i++) notifier.notify(event(i));
    await eventually(async () => notifier.pending === 3, 'the other ones have all');
    expect(receiver.ids.sort()).to.deep.equal(['0', '0', '1', '1', '2', '2']);
    await notifier.close();
    silent.close();
  });

  it('leaves out damaged lines of the file and what waits for no receiver any more, with warnings', async () => {
    receiver.answer = () => 503;
    const first = await started(webhook(url), webhook('http://127.0.0.1:1/'));
    first.notify(event(0));
    await first.close();
    await appendFile(join(stateDir, 'notifications.jsonl'), '{"target":"webhook","event":{}}\n{"target":"we');
    lines.all.length = 0;
    receiver.answer = () => 200;
    const second = await started();
    await sent(second);
    expect(receiver.ids).to.deep.equal(['0']);
    expect(lines.all.map(({ level, fields }) => ({ level, ...fields }))).to.deep.equal([
      { level: 'warn', damaged: 2 },
      { level: 'warn', dropped: 1 },
    ]);
    configure(second, []);
    second.notify(event(1));
    expect(second.pending).to.equal(0);
  });

  it('gives an event up after three days, and after an hour if it is this one that is refused', async () => {
    let answer: Answer = 404;
    receiver.answer = ({ body }) => (body.includes('"id":"2"') ? 200 : answer);
    const notifier = await started();
    notifier.notify(event(0));
    const failures = async (): Promise<void> => {
      const before = receiver.refused;
      await eventually(async () => receiver.refused > before + 1, 'it is tried again');
    };
    nowMs += 71 * hourMs;
    await failures();
    expect(notifier.pending).to.equal(1);
    nowMs += hourMs;
    await sent(notifier);
    answer = 422;
    notifier.notify(event(1));
    notifier.notify(event(2));
    await failures();
    nowMs += 0.9 * hourMs;
    await failures();
    expect(notifier.pending).to.equal(2);
    nowMs += 0.1 * hourMs;
    await sent(notifier);
    expect(receiver.ids).to.deep.equal(['2']);
    const dropped = lines.all.filter(({ level }) => level === 'error');
    expect(dropped.map(({ fields }) => fields)).to.deep.equal([
      { target: `webhook ${receiver.host}`, reason: 'it answered 404', id: '0', event: 'overdue' },
      { target: `webhook ${receiver.host}`, reason: 'it answered 422', id: '1', event: 'overdue' },
    ]);
    expect(outcomes.filter((each) => each === 'webhook dropped')).to.have.length(2);
  });

  it('keeps the newest ones of too many, and says once that older ones are dropped', async () => {
    const isBack = deferred();
    receiver.answer = () => isBack.promise.then(() => 200);
    const notifier = await open({ limits: { ...quick, maxQueued: 10 } });
    configure(notifier, [webhook(url)]);
    for (let i = 0; i < 25; i++) notifier.notify(event(i));
    expect(notifier.pending).to.equal(10);
    isBack.resolve();
    await sent(notifier);
    // The first one was on its way.
    expect(receiver.ids).to.deep.equal(['0', ...upTo(25).slice(15)]);
    expect(lines.levels()).to.deep.equal(['error']);
  });

  it('tries at once after a reload, with the new settings', async () => {
    receiver.answer = ({ headers }) => ('x-kloset-gateway-signature' in headers ? 200 : 401);
    const notifier = await open({ limits: { firstPauseMs: 24 * hourMs, maxPauseMs: 24 * hourMs } });
    configure(notifier, [webhook(url)]);
    notifier.notify(event(0));
    await eventually(async () => outcomes.length === 1, 'it has failed');
    configure(notifier, [webhook(url, { secret: { value: 'k' } })]);
    await sent(notifier);
    expect(receiver.ids).to.deep.equal(['0']);
  });

  it('fails at the start if the state folder cannot be used, and goes on if that happens later', async () => {
    await writeFile(stateDir, '');
    const error = await open().catch((caught: Error) => caught);
    expect(error).to.be.an('error');
    expect(String(error)).to.match(/^Error: the state folder can't be used: .*state/);
    await rm(stateDir);
    const notifier = await started();
    await notifier.close();
    const second = await started();
    await rename(stateDir, `${stateDir}.gone`);
    for (let i = 0; i < 3; i++) second.notify(event(i));
    await sent(second);
    expect(receiver.ids).to.deep.equal(upTo(3));
    await eventually(async () => lines.all.length > 0, 'it is logged');
    await mkdir(stateDir);
    await second.close();
    expect(await queueFile()).to.equal('');
    expect(lines.levels()).to.deep.equal(['error', 'info']);
  });

  it('says at a stop what is lost without a state folder', async () => {
    const notifier = await open({ stateDir: undefined });
    receiver.answer = () => 'nothing';
    configure(notifier, [webhook(url)]);
    notifier.notify(event(0));
    await notifier.close();
    expect(lines.all).to.have.length(1);
    expect(lines.all[0]).to.deep.include({ level: 'warn', fields: { waiting: 1 } });
  });

  describe('with pings', () => {
    const ping = (signal: 'start' | 'success' | 'fail', store = '') => ({ store, principal: 'web-1', signal });
    const paths = (): unknown[] => receiver.taken.map(({ method, path }) => `${method} ${path}`);
    let notifier: Notifier;

    beforeEach(async () => {
      notifier = await open({ stateDir: undefined });
      const urls = { '': `http://${receiver.host}/s3cret`, 'teams/blue': `http://${receiver.host}/b/?create=1` };
      configure(notifier, [], urls);
    });

    it('tells a start, a success and a failure at the URL of the principal and the store, in their order', async () => {
      for (const signal of ['start', 'success', 'start', 'fail'] as const) notifier.ping(ping(signal));
      await eventually(async () => receiver.taken.length === 4, 'all are there');
      notifier.ping(ping('start', 'teams/blue'));
      notifier.ping(ping('success', 'teams/red'));
      notifier.ping({ ...ping('success'), principal: 'web-2' });
      await eventually(async () => receiver.taken.length === 5, 'the last one is there');
      expect(paths()).to.deep.equal([
        'GET /s3cret/start',
        'GET /s3cret',
        'GET /s3cret/start',
        'GET /s3cret/fail',
        'GET /b/start?create=1',
      ]);
    });

    it('makes a few attempts, until there is a newer one, and never logs the URL', async () => {
      const answers: Answer[] = ['broken', 500];
      receiver.answer = () => answers.shift() ?? 200;
      notifier.ping(ping('success'));
      await eventually(async () => outcomes.length === 3, 'the third attempt has succeeded');
      expect(paths()).to.deep.equal(['GET /s3cret']);

      const hold = deferred<Answer>();
      receiver.answer = ({ path }) => (path?.endsWith('/start') === true ? hold.promise : 200);
      notifier.ping(ping('start'));
      notifier.ping(ping('success'));
      hold.resolve(500);
      await eventually(async () => outcomes.length === 6, 'the newer one is sent');
      expect(outcomes.slice(3)).to.deep.equal(['ping failed', 'ping dropped', 'ping sent']);

      receiver.answer = () => 404;
      notifier.ping(ping('fail'));
      await eventually(async () => outcomes.length === 11, 'it is given up');
      expect(outcomes.slice(6)).to.deep.equal([...Array<string>(4).fill('ping failed'), 'ping dropped']);
      expect(lines.text()).to.include(receiver.host).and.to.not.include('s3cret');
    });

    it('does not hold up a stop', async () => {
      receiver.answer = () => 'nothing';
      for (let i = 0; i < 3; i++) notifier.ping(ping('start'));
      await eventually(async () => receiver.taken.length === 1, 'one is under way');
      await notifier.close();
      expect(outcomes.filter((each) => each === 'ping dropped')).to.have.length(3);
    });
  });
});
