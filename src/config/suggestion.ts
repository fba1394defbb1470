/** `: did you mean NAME?` with the known name that is most similar; empty if none is similar. */
export function suggestion(name: string, known: Iterable<string>): string {
  let best: { name: string; distance: number } | undefined;
  for (const each of known) {
    const distance = editDistance(plain(name), plain(each));
    if (distance < (best?.distance ?? Infinity)) best = { name: each, distance };
  }
  if (best === undefined) return '';
  // Swapping two letters is a distance of 2, which names of five letters and more allow.
  const isNear = best.distance <= Math.max(1, best.name.length * 0.4) && best.distance < best.name.length;
  return isNear ? `: did you mean ${best.name}?` : '';
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** The Levenshtein distance: how many letters must be inserted, removed or changed. */
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
