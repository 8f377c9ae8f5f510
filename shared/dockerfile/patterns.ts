/**
 * Patterns of `${X#…}`, `${X%…}` and `${X/…/…}`, where `*` is anything and `?` one character. Matched without regular
 * expressions: both sides are the writer's, and some would take for ever.
 */

type Part = { kind: 'any' | 'one' } | { kind: 'literal'; character: string };

/** Characters of text times parts of a pattern: far more than any name of an image needs. */
const longestWork = 4_000_000;

/** More than `longestWork`. */
export class TooLongError extends Error {
  constructor() {
    super('pattern and value are too long');
    this.name = 'TooLongError';
  }
}

/** `value` without its beginning (`#`, `##`) or end (`%`, `%%`); undefined for what is no pattern. Throws `TooLongError`. */
export function trimmedByPattern(value: string, word: string, operator: '#' | '%'): string | undefined {
  const greedy = word.startsWith(operator);
  const parts = partsOf(greedy ? word.slice(1) : word);
  if (!parts) return undefined;
  requireShort(parts.length * value.length);
  const characters = [...value];
  if (operator === '%') {
    characters.reverse();
    parts.reverse();
  }
  const length = matchedLength(characters, parts, greedy);
  const kept = length === undefined ? characters : characters.slice(length);
  return (operator === '%' ? kept.reverse() : kept).join('');
}

/** `value` with what matches replaced, once or everywhere; undefined for what is no pattern. Throws `TooLongError`. */
export function withReplacement(
  value: string,
  pattern: string,
  replacement: string,
  everywhere: boolean,
): string | undefined {
  const parts = partsOf(pattern);
  if (!parts) return undefined;
  const characters = [...value];
  requireShort(Math.max(parts.length * value.length ** 2, (characters.length + 1) * replacement.length));
  let result = '';
  let matchedTo = -1;
  for (let at = 0; at <= characters.length; ) {
    let length = matchedLength(characters.slice(at), parts, true);
    // Nothing right behind a match is no match.
    if (length === 0 && at === matchedTo) length = undefined;
    if (length !== undefined) result += replacement;
    matchedTo = length === undefined ? matchedTo : at + length;
    if (length !== undefined && !everywhere) return result + characters.slice(at + length).join('');
    if (!length) result += characters[at] ?? '';
    at += length || 1;
  }
  return result;
}

function requireShort(work: number): void {
  if (work > longestWork) throw new TooLongError();
}

function partsOf(pattern: string): Part[] | undefined {
  const parts: Part[] = [];
  const characters = [...pattern];
  for (let at = 0; at < characters.length; at++) {
    let character = characters[at] ?? '';
    if (character === '*') parts.push({ kind: 'any' });
    else if (character === '?') parts.push({ kind: 'one' });
    else {
      if (character === '\\') {
        character = characters[++at] ?? '';
        if (!['}', '/', '*', '?', '\\'].includes(character)) return undefined;
      }
      parts.push({ kind: 'literal', character });
    }
  }
  return parts;
}

/** How many characters from the beginning match, as many or as few as possible; undefined for none. */
function matchedLength(characters: string[], parts: Part[], greedy: boolean): number | undefined {
  let longest: number | undefined;
  let reached = passed(parts, [0]);
  for (let length = 0; ; length++) {
    if (reached.includes(parts.length)) longest = length;
    if (longest !== undefined && !greedy) return longest;
    const character = characters[length];
    if (character === undefined || reached.length === 0) return longest;
    const next = reached.flatMap((at) => {
      const part = parts[at];
      if (character === '\n' && part?.kind !== 'literal') return [];
      if (part?.kind === 'any') return [at];
      return part?.kind === 'one' || (part?.kind === 'literal' && part.character === character)
        ? [at + 1]
        : [];
    });
    reached = passed(parts, next);
  }
}

/** Where one may stand: `*` may also be nothing. */
function passed(parts: Part[], positions: number[]): number[] {
  const all = new Set<number>();
  for (let at of positions) {
    all.add(at);
    while (parts[at]?.kind === 'any') all.add(++at);
  }
  return [...all];
}
