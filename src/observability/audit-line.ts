import type { AuditEntry } from '../core/audit.js';

/** Longer texts are cut, so that failing logins can't fill the disk. In UTF-16 code units. */
const maxTextLength = 500;

/** Characters that affect a terminal or an editor: control characters, line separators, and changes of the text's direction. */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * An entry as one line of JSON, with control characters in its texts escaped.
 *
 * @param instance the gateway's name among its replicas; undefined: the line has none
 */
export function auditLine(entry: AuditEntry, instance?: string): string {
  const json = JSON.stringify({ ...entry, instance }, (_key, value: unknown) =>
    typeof value === 'string' && value.length > maxTextLength ? `${value.slice(0, maxTextLength)}…` : value,
  );
  // JSON can contain them only within strings.
  return `${json.replaceAll(unsafe, escaped)}\n`;
}

function escaped(char: string): string {
  const units = Array.from({ length: char.length }, (_, i) => char.charCodeAt(i));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}
