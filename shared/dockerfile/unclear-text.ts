/** Text that engines don't even split into the same lines and directives. */
import { readLines } from './lines.ts';
import type { Unclear } from './stages.ts';

/** A space that some engines don't take for one between `#` and the name of a directive. */
const oddDirective =
  /^\p{White_Space}*#[\t\f\r ]*[\v\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]\p{White_Space}*(?:syntax|escape|check)\b/iu;

export function unclearText(dockerfile: string): Unclear | undefined {
  for (const [index, text] of dockerfile.split('\n').entries()) {
    if (text.endsWith('\r\r')) return { line: index + 1, why: 'ends with several carriage returns' };
    if (oddDirective.test(text))
      return {
        line: index + 1,
        why: 'has a character after # that only some engines treat as a space. Use an ordinary space',
      };
  }
  const { syntaxes } = readLines(dockerfile);
  if (syntaxes.some(({ start }) => start === undefined))
    return {
      line: 1,
      why: 'names its syntax in a way that Slipway cannot pin to a digest. Write the name once, without escapes',
    };
  return undefined;
}
