/** Text as Go treats it, where JavaScript does otherwise. */

/** As `strings.ToLower`: a dotted capital I becomes one letter. */
export const lowered = (text: string): string => text.replaceAll('\u0130', 'i').toLowerCase();

/** As `unicode.IsSpace`. */
export const isSpace = (character: string): boolean => /^\p{White_Space}$/u.test(character);

/** As `\s` of regular expressions. */
const isPlainSpace = (character: string): boolean => /^[\t\n\f\r ]$/.test(character);

/** As `strings.TrimSpace`. */
export const trimmed = (text: string): string => trimmedOf(text, isSpace);

export const plainlyTrimmed = (text: string): string => trimmedOf(text, isPlainSpace);

/** Character by character: an expression would look at a long row of spaces once for each of them. */
function trimmedOf(text: string, isBlank: (character: string) => boolean): string {
  let [start, end] = [0, text.length];
  while (start < end && isBlank(text[start] ?? '')) start++;
  while (end > start && isBlank(text[end - 1] ?? '')) end--;
  return text.slice(start, end);
}
