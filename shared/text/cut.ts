/** Where the first piece of `text` of at most `longest` UTF-16 units ends: never between the two halves of a character. */
export function firstCut(text: string, longest: number): number {
  if (text.length <= longest) return text.length;
  return /[\uD800-\uDBFF]/.test(text.charAt(longest - 1)) ? longest - 1 : longest;
}
