import type { MirrorStatus, StoreStatus, VerificationStatus } from '../../watch/status.js';
import { age, bytes, count, foreign, moment, plural } from './format.js';
import { html, type Html, type Part } from './html.js';
import { mark } from './marks.js';

/** How a store's second copy is. */
export function mirrorCell(mirror: MirrorStatus | undefined): Part {
  if (mirror === undefined) return 'none';
  const { direction, isBehind, lagMs, missingObjects, missingBytes = 0, problem } = mirror;
  const lag = age(lagMs);
  const state = isBehind ? mark('bad', `behind for ${lag}`) : mark('good', `complete ${lag} ago`);
  const isCopying = missingObjects !== undefined && missingObjects > 0;
  return html`${state} ${direction === 'from' && html`<small>this is the second copy</small>`}
  ${isCopying && html`<small>${plural(missingObjects, 'object')} (${bytes(missingBytes)}) to copy</small>`}
  ${failure(problem)}`;
}

/** What reading a store's objects has shown. */
export function objectsCell(verification: VerificationStatus | undefined, nowMs: number): Part {
  if (verification === undefined) return 'never';
  const { damagedObjects, checkedObjects, plannedObjects, completedMs, problem } = verification;
  const isUnderWay = plannedObjects !== undefined && checkedObjects < plannedObjects;
  return html`${
    damagedObjects > 0 ? mark('bad', `${plural(damagedObjects, 'object')} damaged`) : mark('good', 'no damage found')
  }
  ${completedMs !== undefined && moment(completedMs, nowMs)}
  ${isUnderWay && html`<small>${count(checkedObjects)} of ${plural(plannedObjects, 'object')} read</small>`}
  ${failure(problem)}`;
}

/** What needs a look, each a phrase. */
export function upkeepAlerts({ mirror, verification }: StoreStatus): string[] {
  return [
    ...(mirror?.isBehind === true ? [`Mirror behind for ${age(mirror.lagMs)}`] : []),
    ...(verification !== undefined && verification.damagedObjects > 0
      ? [`${plural(verification.damagedObjects, 'object')} damaged`]
      : []),
  ];
}

function failure(problem: string | undefined): Html | false {
  return problem !== undefined && html`<p class="failure">${foreign(problem)}</p>`;
}
