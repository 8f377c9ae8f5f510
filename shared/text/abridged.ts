/** Of a text that is too long to be read, its beginning and its end: what happened is often said there. */
export function abridged(text: string, atMost: number): string {
  if (text.length <= atMost) return text;
  const kept = atMost - 1;
  const end = Math.floor(kept / 4);
  return `${whole(text.slice(0, kept - end))}…${whole(text.slice(-end))}`;
}

/** Half of a character that takes two places is none. */
const whole = (part: string) => part.replace(/^[\uDC00-\uDFFF]|[\uD800-\uDBFF]$/g, '');
