import type { Status } from '../../watch/status.js';
import { strip } from './charts.js';
import { machineTime, storeName } from './format.js';
import { html, type Html } from './html.js';
import { machineCount, machines } from './machines.js';
import { endedSessions, openSessions, refusals } from './sessions.js';
import { stores } from './stores.js';
import { alerts, facts, headline } from './summary.js';
import { traffic } from './traffic.js';
import { within, type View } from './view.js';

/** The status page: a document of its own but for `style.css` and `refresh.js`. */
export function page(whole: Status, view: View): string {
  const status = within(whole, view);
  const { level, text } = headline(status);
  const overdue = machineCount(status.machines, ({ isOverdue }) => isOverdue);
  const title = overdue > 0 ? `${overdue} overdue – kloset-gateway` : 'kloset-gateway';
  const sections: readonly (readonly [id: string, heading: string, content: Html])[] = [
    ['machines', 'Machines', html`${machines(status, view)}${legend}`],
    ['stores', 'Stores', stores(status, view)],
    ['under-way', 'Sessions under way', openSessions(status, view)],
    ['traffic', 'The last hour', traffic(status)],
    ['sessions', 'Recent sessions', endedSessions(status, view)],
    ['refusals', 'Recent refusals', refusals(status, view)],
  ];
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>${title}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <link rel="icon" href="${icon(overdue > 0)}" />
        <link rel="stylesheet" href="style.css" />
        <script src="refresh.js" defer></script>
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header>
          <p class="brand">kloset-gateway <small>${status.version}</small></p>
          <nav aria-label="Sections">${sections.map(([id, heading]) => html`<a href="#${id}">${heading}</a> `)}</nav>
          <p class="as-of">as of <time datetime="${machineTime(status.nowMs)}">${asOf(status.nowMs)}</time></p>
        </header>
        <main id="main" tabindex="-1">
          <p id="stale" role="status"></p>
          ${view.store !== undefined && html`<p class="filter">Only <strong>${storeName(view.store)}</strong>. <a href="./">Show all stores</a></p>`}
          <section class="summary" aria-labelledby="headline">
            <h1 id="headline" class="${level}">${text}</h1>
            ${alerts(status)} ${facts(status)}
          </section>
          ${sections.map(
            ([id, heading, content]) =>
              html`<section aria-labelledby="${id}">
                <h2 id="${id}">${heading}</h2>
                ${content}
              </section> `,
          )}
        </main>
        <footer>
          <p>
            Times are in UTC. The same as JSON: <a href="api/status">api/status</a>. For Prometheus:
            <a href="metrics">metrics</a>. This gateway is <strong>${status.instance}</strong>.
          </p>
        </footer>
      </body>
    </html> `.text;
}

/** `2026-01-31 12:00:05 UTC` */
function asOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

const completed = { completed: 1, failed: 0 };
const failed = { completed: 0, failed: 1 };
const neither = { completed: 0, failed: 0 };

const legend = html`<details class="legend">
  <summary>What the strips mean</summary>
  <p>A block for each of the last 30 days (UTC), today at the right:</p>
  <ul>
    <li>${strip([completed])} a backup was completed</li>
    <li>${strip([failed])} backups failed</li>
    <li>${strip([{ completed: 1, failed: 1 }])} one was completed, and one failed</li>
    <li>${strip([neither])} neither</li>
  </ul>
</details>`;

/** The tab's icon: a disc, or a triangle if a machine is overdue. */
function icon(isOverdue: boolean): string {
  const shape = isOverdue ? '<path fill="#c0392b" d="M8 1l7 14H1z"/>' : '<circle fill="#2b7a6b" cx="8" cy="8" r="6"/>';
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">${shape}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}
