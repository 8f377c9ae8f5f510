/** Which of the known names was probably meant by one that is not among them. */

/** Longer names are compared by their beginning only. */
const compared = 64;

/** How many characters must be inserted, deleted or replaced to make one text of the other (Levenshtein). */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** By edits, the nearest first, whatever the case. */
export function nearestFirst<T>(name: string, all: readonly T[], nameOf: (one: T) => string): T[] {
  const edits = (one: T) => editDistance(name.toLowerCase(), nameOf(one).toLowerCase().slice(0, compared));
  return all
    .map((one) => ({ one, edits: edits(one) }))
    .sort((a, b) => a.edits - b.edits)
    .map(({ one }) => one);
}

/**
 * The name that was probably meant: one that differs in up to two characters or a third of them, in case, `_` or `-`, or
 * that abbreviates the other (`cmd` for `command`, `environment` for `env`). Undefined where no name is that close.
 */
export function closestName(name: string, names: readonly string[]): string | undefined {
  const wanted = plain(name.slice(0, compared));
  return nearestFirst(wanted, names, plain).find((one) => isClose(wanted, plain(one)));
}

const plain = (name: string) => name.toLowerCase().replace(/[_-]/g, '');

function isClose(wanted: string, known: string): boolean {
  const [short, long] = wanted.length < known.length ? [wanted, known] : [known, wanted];
  const edits = editDistance(wanted, known);
  if (edits <= Math.max(2, Math.floor(long.length / 3)) && edits < short.length - 1) return true;
  if (short.length < 3) return false;
  return long.startsWith(short) || (short === wanted && abbreviates(short, long));
}

/** Its letters stand in the name in the same order, the first one first. */
function abbreviates(short: string, long: string): boolean {
  let at = 0;
  for (const letter of long) if (letter === short[at]) at++;
  return at === short.length && short[0] === long[0];
}
