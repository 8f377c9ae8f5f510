/** The term form of CloudWatch filter patterns: all of `a b`, any of `?a ?b`, none of `-a`, phrases in quotes. */
import { AwsError } from '../platform.ts';

/** Whether `message` matches; JSON, space-delimited and regular-expression patterns are refused. */
export function matchesFilter(pattern: string, message: string): boolean {
  const text = pattern.trim();
  if (/^[{[%]/.test(text))
    throw new AwsError(
      'InvalidParameterException',
      `The embedded cloud supports only filter patterns made of terms, not ${text}`,
    );
  const terms = text.match(/[?-]?(?:"(?:[^"\\]|\\.)*"|\S+)/g) ?? [];
  const required: string[] = [];
  const optional: string[] = [];
  const excluded: string[] = [];
  for (const term of terms) {
    const sign = term.charAt(0);
    const list = sign === '?' ? optional : sign === '-' ? excluded : required;
    const bare = list === required ? term : term.slice(1);
    list.push(bare.startsWith('"') ? bare.slice(1, -1).replaceAll('\\"', '"') : bare);
  }
  return (
    required.every((term) => message.includes(term)) &&
    !excluded.some((term) => message.includes(term)) &&
    // AWS ignores the optional terms where required ones stand beside them.
    (optional.length === 0 || required.length > 0 || optional.some((term) => message.includes(term)))
  );
}
