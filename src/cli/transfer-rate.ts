import { formatBytes } from '../lib/format-bytes.js';

/** The time that a rate is of, in milliseconds, and how often it is looked at. */
const spanMs = 30_000;
const sampleMs = 1000;

/** How far a long transfer has come, how fast it is now, and how long it will take. */
export class TransferRate {
  done = 0;
  /** Undefined: not known yet. */
  total: number | undefined;
  /** When how many bytes were done, in the last span. */
  private samples: { readonly ms: number; readonly done: number }[];

  /** @param now milliseconds of a clock that never goes back */
  constructor(private readonly now: () => number) {
    this.samples = [{ ms: now(), done: 0 }];
  }

  /** @param bytes fewer, if negative: they have to be transferred again */
  add(bytes: number): void {
    this.done += bytes;
    const ms = this.now();
    if (ms - (this.samples.at(-1)?.ms ?? 0) < sampleMs) return;
    this.samples.push({ ms, done: this.done });
    while ((this.samples[1]?.ms ?? ms) < ms - spanMs) this.samples.shift();
  }

  /** From 0 to 1. */
  get share(): number {
    if (this.total === undefined) return 0;
    return this.total === 0 ? 1 : Math.min(Math.max(this.done / this.total, 0), 1);
  }

  /** `1.25 GiB of 3.4 GiB, 20.1 MiB/s, 2m 10s left`. */
  get text(): string {
    const [first] = this.samples;
    const seconds = (this.now() - (first?.ms ?? 0)) / 1000;
    const rate = seconds > 0 ? Math.max(this.done - (first?.done ?? 0), 0) / seconds : 0;
    const parts = [
      `${formatBytes(this.done)}${this.total === undefined ? '' : ` of ${formatBytes(this.total)}`}`,
      `${formatBytes(Math.round(rate))}/s`,
    ];
    if (this.total !== undefined && rate > 0) parts.push(`${timeText((this.total - this.done) / rate)} left`);
    return parts.join(', ');
  }
}

/** `45s`, `2m 10s`, `3h 5m` or `2d 4h`. */
function timeText(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  const [minutes, hours, days] = [60, 3600, 86_400].map((unit) => Math.floor(whole / unit)) as [number, number, number];
  if (minutes === 0) return `${whole}s`;
  if (hours === 0) return `${minutes}m ${whole % 60}s`;
  if (days === 0) return `${hours}h ${minutes % 60}m`;
  return `${days}d ${hours % 24}h`;
}
