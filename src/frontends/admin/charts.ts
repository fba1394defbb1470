import type { Day } from '../../watch/status.js';
import { plural } from './format.js';
import { html, type Html } from './html.js';

/**
 * Bars of equal width, from the oldest value to the newest, as high as the space they get.
 *
 * @param label what the chart says, for those who don't see it
 */
export function bars(values: readonly number[], label: string): Html {
  const height = 40;
  const most = Math.max(...values, 1);
  const path = values.map((value, i) => {
    // What isn't nothing can be seen.
    const bar = value > 0 ? Math.max(1.5, (value / most) * height) : 0;
    return bar > 0 && `M${5 * i} ${height}v-${Number(bar.toFixed(1))}h4V${height}z`;
  });
  const width = 5 * values.length - 1;
  return html`<svg
    class="bars"
    viewBox="0 0 ${width} ${height + 1}"
    preserveAspectRatio="none"
    role="img"
    aria-label="${label}"
  >
    <path class="base" d="M0 ${height + 0.5}h${width}" />
    <path d="${path}" />
  </svg>`;
}

/** How much of a whole is used: a bar beside a text that says the same. */
export function meter(used: number, whole: number): Html {
  const share = Math.min(100, (used / whole) * 100);
  return html`<svg
    class="meter${share >= 95 ? ' full' : ''}"
    viewBox="0 0 100 6"
    preserveAspectRatio="none"
    aria-hidden="true"
  >
    <path class="base" d="M0 0h100v6H0z" />
    <path d="M0 0h${Number(share.toFixed(1))}v6H0z" />
  </svg>`;
}

/** A strip of days: a full block for a day with a backup, a low block for one with a failure, a line for one with neither. */
export function strip(days: readonly Day[]): Html {
  const completed = runs(days, ({ completed: some }) => some > 0);
  const failed = runs(days, ({ failed: some }) => some > 0);
  const none = runs(days, (day) => day.completed === 0 && day.failed === 0);
  // Each run of days is one line; its dashes are the days.
  const path = (name: string, y: number, all: Run[]): Html | false =>
    all.length > 0 && html`<path class="${name}" d="${all.map(([at, n]) => `M${6 * at} ${y}h${6 * n - 1}`)}" />`;
  const paths = [path('n', 14, none), path('c', 8, completed), path('f', 12, failed)];
  return html`<svg class="strip" role="img" aria-label="${stripLabel(days)}">${paths}</svg>`;
}

type Run = readonly [at: number, length: number];

/** The runs of days that something holds for. */
function runs(days: readonly Day[], holds: (day: Day) => boolean): Run[] {
  const found: [number, number][] = [];
  days.forEach((day, i) => {
    const last = found.at(-1);
    if (!holds(day)) return;
    if (last !== undefined && last[0] + last[1] === i) last[1]++;
    else found.push([i, 1]);
  });
  return found;
}

function stripLabel(days: readonly Day[]): string {
  const completed = days.filter((day) => day.completed > 0).length;
  const failed = days.filter((day) => day.failed > 0).length;
  const since = days.length - 1 - days.findLastIndex((day) => day.completed > 0);
  const text = `backups on ${completed} of ${plural(days.length, 'day')}${failed > 0 ? `, failed on ${failed}` : ''}`;
  return since > 1 && completed > 0 ? `${text}, none in the last ${since}` : text;
}
