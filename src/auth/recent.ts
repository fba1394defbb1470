/**
 * Whether something happened within the last `ms` milliseconds. What a clock that was put back has in the future didn't, so that
 * nothing lasts longer for it.
 */
export function isRecent(at: number, now: number, ms: number): boolean {
  return at <= now && now < at + ms;
}
