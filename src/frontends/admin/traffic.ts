import type { Status } from '../../watch/status.js';
import { bars } from './charts.js';
import { bytes, count } from './format.js';
import { html, type Html } from './html.js';

/** The requests and the throughput of the last hour, minute by minute. */
export function traffic({ traffic: minutes }: Status): Html {
  const chart = (title: string, values: readonly number[], show: (value: number) => string): Html => {
    const now = show(values.at(-1) ?? 0);
    const most = show(Math.max(0, ...values));
    const sum = show(values.reduce((total, each) => total + each, 0));
    return html`<figure>
      <figcaption><strong>${title}</strong> <span>${sum} in the last hour</span></figcaption>
      ${bars(values, `${title} a minute: ${now} in this one, at most ${most}`)}
      <p class="scale"><span>an hour ago</span><span>at most ${most} a minute</span><span>now</span></p>
    </figure> `;
  };
  return html`<div class="traffic">
    ${chart(
      'Requests',
      minutes.map(({ requests }) => requests),
      count,
    )}${chart(
      'Received',
      minutes.map(({ received }) => received),
      bytes,
    )}${chart(
      'Sent',
      minutes.map(({ sent }) => sent),
      bytes,
    )}
  </div>`;
}
