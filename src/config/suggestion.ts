/** `: did you mean NAME?` for the name that is nearly this one; nothing where none is. */
export function suggestion(name: string, known: Iterable<string>): string {
  let best: { name: string; distance: number } | undefined;
  for (const each of known) {
    const distance = editDistance(plain(name), plain(each));
    if (distance < (best?.distance ?? Infinity)) best = { name: each, distance };
  }
  if (best === undefined) return '';
  // Two letters that changed places are two wrong ones: in short names, that has to do.
  const isNear = best.distance <= Math.max(1, best.name.length * 0.4) && best.distance < best.name.length;
  return isNear ? `: did you mean ${best.name}?` : '';
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** How many letters have to be put in, left out or changed (Levenshtein). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 0; i < from.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < to.length; j++) {
      const changed = (row[j] ?? 0) + (from[i] === to[j] ? 0 : 1);
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
