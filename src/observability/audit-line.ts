import type { AuditEntry } from '../core/audit.js';

/** Longer texts are cut: nobody's name or message needs more, and whoever fails to log in must not fill the disk. In UTF-16 units. */
const maxTextLength = 500;

/** Characters that can do something to a terminal or an editor: controls, line separators, and what changes the direction of text. */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** An entry as one line of JSON. Whatever is in it, it is one line, and shows as what it is. */
export function auditLine(entry: AuditEntry): string {
  const json = JSON.stringify(entry, (_key, value: unknown) =>
    typeof value === 'string' && value.length > maxTextLength ? `${value.slice(0, maxTextLength)}…` : value,
  );
  // Only within its strings can JSON have any of these.
  return `${json.replaceAll(unsafe, escaped)}\n`;
}

function escaped(char: string): string {
  const units = Array.from({ length: char.length }, (_, i) => char.charCodeAt(i));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}
