import { html, type Html } from './html.js';

/** How something is: by text and shape, and by colour for those who see it. The stylesheet has the shape and colour of each. */
export type Level = 'good' | 'bad' | 'warn' | 'plain';

/** A word for how something is, with its shape. */
export function mark(level: Level, text: string): Html {
  return html`<b class="${level}">${text}</b>`;
}
