import type { Status, StoreStatus } from '../../watch/status.js';
import { age, bytes, count, duration, foreign, plural, storeName } from './format.js';
import { html, type Html, type Part } from './html.js';
import { isAwaited, machineCount } from './machines.js';
import { mark, type Level } from './marks.js';
import { isDiskNearlyFull, staleLockMs } from './stores.js';
import { upkeepAlerts } from './upkeep.js';

const dayMs = 86_400_000;
const certificateWarningMs = 14 * dayMs;

/** How the backups are, in a sentence. */
export function headline({ machines }: Status): { readonly level: Level; readonly text: string } {
  const overdue = machineCount(machines, ({ isOverdue }) => isOverdue);
  const awaited = machineCount(machines, isAwaited);
  const expected = machineCount(machines, ({ expectedMs }) => expectedMs !== undefined);
  const whole = machineCount(machines, () => true);
  const all = plural(whole, 'machine');
  const be = (value: number): string => (value === 1 ? 'is' : 'are');
  const toCome = `${awaited === 1 ? 'has' : 'have'} yet to make a first backup`;
  const rest = awaited === 0 ? '' : `; ${count(awaited)} ${toCome}`;
  if (overdue > 0) return { level: 'bad', text: `${count(overdue)} of ${all} ${be(overdue)} overdue${rest}` };
  if (whole === 0) return { level: 'plain', text: 'No machine has backed up yet' };
  if (expected === 0) return { level: 'plain', text: `${all}, and no backup is expected by a certain time` };
  const level = awaited === 0 ? 'good' : 'plain';
  if (expected < whole) {
    const text = `No machine is overdue: ${count(expected)} of ${all} ${be(expected)} expected by a certain time${rest}`;
    return { level, text };
  }
  const subject = whole === 1 ? 'The machine' : `All ${all}`;
  if (awaited === 0) return { level, text: `${subject} ${be(whole)} on time` };
  if (awaited === whole) return { level, text: `${subject} ${toCome}` };
  return { level, text: `${count(whole - awaited)} of ${all} ${be(whole - awaited)} on time${rest}` };
}

/** What needs a look besides overdue machines, each a sentence. */
export function alerts(status: Status): Html | false {
  const failed = machineCount(status.machines, ({ lastFailure }) => lastFailure !== undefined);
  const { certificateExpiresMs: expires, nowMs } = status;
  const found: Html[] = [
    ...(failed === 0
      ? []
      : [
          mark(
            'warn',
            failed === 1
              ? 'The last backup of one machine failed'
              : `The last backups of ${count(failed)} machines failed`,
          ),
        ]),
    ...status.stores.flatMap((store) => storeAlerts(store, status)),
    ...(expires === undefined || expires - nowMs > certificateWarningMs
      ? []
      : [
          mark(
            expires <= nowMs ? 'bad' : 'warn',
            expires <= nowMs
              ? 'The TLS certificate has expired'
              : `The TLS certificate expires in ${age(expires - nowMs)}`,
          ),
        ]),
  ];
  return (
    found.length > 0 &&
    html`<ul class="alerts" aria-label="To look at">
      ${found.map((each) => html`<li>${each}</li>`)}
    </ul>`
  );
}

function storeAlerts(store: StoreStatus, { nowMs, warnFreeBytes }: Status): Html[] {
  const name = foreign(storeName(store.name));
  const found: Html[] = [];
  const add = (level: Level, text: string): void => void found.push(html`${mark(level, text)}: ${name}`);
  if (store.isReachable === false) add('bad', 'Store unreachable');
  if (store.oldestLockMs !== undefined && nowMs - store.oldestLockMs > staleLockMs)
    add('warn', `A lock is ${age(nowMs - store.oldestLockMs)} old`);
  if (store.quotaBytes !== undefined && (store.bytes ?? 0) >= 0.95 * store.quotaBytes)
    add('bad', 'Quota nearly used up');
  if (isDiskNearlyFull(store, warnFreeBytes)) add('bad', 'Disk nearly full');
  for (const text of upkeepAlerts(store)) add('bad', text);
  return found;
}

/** Numbers of the whole. */
export function facts(status: Status): Html {
  const { machines, stores, openSessions, nowMs, startedMs, certificateExpiresMs: expires } = status;
  const today = machines.map(({ days }) => days.at(-1) ?? { completed: 0, failed: 0 });
  const completed = today.reduce((sum, day) => sum + day.completed, 0);
  const failed = today.reduce((sum, day) => sum + day.failed, 0);
  const stored = stores.reduce((sum, store) => sum + (store.bytes ?? 0), 0);
  const fact = (label: string, value: Part, more: Part = undefined): Html =>
    html`<div>
      <dt>${label}</dt>
      <dd>${value}${more !== undefined && html` <small>${more}</small>`}</dd>
    </div>`;
  return html`<dl class="facts">
    ${fact('Backups today', count(completed), failed > 0 ? `${count(failed)} failed` : undefined)}
    ${fact('Stored', bytes(stored), `in ${plural(stores.length, 'store')}`)}
    ${fact('Under way', plural(openSessions.length, 'session'))} ${fact('Running for', duration(nowMs - startedMs))}
    ${expires !== undefined && fact('Certificate', expires > nowMs ? age(expires - nowMs) : 'expired', expires > nowMs ? 'left' : undefined)}
  </dl>`;
}
