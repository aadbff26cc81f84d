// The name that was meant, for messages about unknown ones.

/** The known name that takes the fewest edits, without regard to case and hyphens; null unless they are few. */
export function nearestName(name: string, names: Iterable<string>): string | null {
  const wanted = plain(name);
  let best: string | null = null;
  let bestEdits = Math.min(3, Math.floor(wanted.length / 3)) + 1;
  for (const known of names) {
    if (Math.abs(known.length - wanted.length) >= bestEdits) continue;
    const edits = editsBetween(wanted, plain(known));
    if (edits < bestEdits) {
      best = known;
      bestEdits = edits;
    }
  }
  return best;
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll('-', '_');
}

/** Letters to add, drop or change, or neighbours to swap (optimal string alignment), that make one text of the other. */
function editsBetween(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = isSwap ? (before[j - 2] ?? 0) + 1 : change;
      next.push(Math.min(change, swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
