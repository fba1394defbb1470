import { html, type Html } from './html.js';

export { formatBytes as bytes } from '../../lib/format-bytes.js';

/** A span of time with one or two units: `45 s`, `12 min`, `3 h 5 min`, `26 h`, `12 d`. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 1) return 'under 1 s';
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h${minutes % 60 === 0 ? '' : ` ${minutes % 60} min`}`;
  return `${Math.round(minutes / 1440)} d`;
}

/** A span of time in its largest unit, rounded down: `3 h`. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}

/** A whole number with its digits in groups: `12 345`. */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** A count with its noun: `1 store`, `2 stores`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A moment as people say it, and in UTC. */
export function moment(ms: number, nowMs: number): Html {
  const past = nowMs - ms;
  const relative = past < 0 ? `in ${age(-past)}` : past < 5000 ? 'just now' : `${age(past)} ago`;
  return html`<time datetime="${machineTime(ms)}">${relative} <small>${utc(ms, nowMs)}</small></time>`;
}

/** A moment for the attribute `datetime`: `2026-01-31T12:00Z`. */
export function machineTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16)}Z`;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** A moment in UTC: `31 Jan 12:00`, or `31 Jan 2025` if that is not this year. */
function utc(ms: number, nowMs: number): string {
  const date = new Date(ms);
  const year = date.getUTCFullYear();
  const day = `${date.getUTCDate()} ${months[date.getUTCMonth()]}`;
  return year === new Date(nowMs).getUTCFullYear() ? `${day} ${date.toISOString().slice(11, 16)}` : `${day} ${year}`;
}

/** A store's name. */
export function storeName(name: string): string {
  return name === '' ? 'default store' : name;
}

/** A name or message from elsewhere, whose direction of writing can't change what is around it. */
export function foreign(text: string): Html {
  return html`<bdi>${text}</bdi>`;
}
