/** A body's JSON before any schema looks at it: what no schema can be asked, and how much of it there may be. */

import { type FieldError, pointerTo } from './field-errors.ts';
import { ProblemError } from './problem.ts';

/** Far above what any operation takes; with more, only listing what is wrong would take a function's memory. */
const mostValues = 20_000;

/**
 * Throws 400 for what isn't JSON. U+FFFD in the text itself is refused with it: it is what a gateway puts in the place of
 * bytes that are no UTF-8, so what the sender meant is lost. Who means the character itself writes `\ufffd`.
 */
export function parseJson(text: string): unknown {
  if (text.includes('\ufffd')) throw notUtf8();
  try {
    // Editors on Windows begin files with a mark of their order of bytes.
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    // Some of these messages quote the body, which may have a password in it.
    const [why] = (error as Error).message.split(/, (?:"|\.\.\.)/);
    throw new ProblemError(400, 'malformed-json', `The body must be JSON: ${why}`);
  }
}

export const notUtf8 = () => new ProblemError(400, 'malformed-json', 'The body must be UTF-8 text.');

interface Place {
  key: string;
  above: Place | undefined;
}

/**
 * What is wrong with names and texts wherever they stand. Half a surrogate pair is legal JSON but no text: neither the table
 * nor any other service takes it. `__proto__` is a name that objects don't hand on. Throws 422 for more values than any
 * operation takes. Needs no more stack for a deeper value.
 */
export function faultsOf(root: unknown): FieldError[] {
  const errors: FieldError[] = [];
  const left: { value: unknown; at: Place | undefined }[] = [{ value: root, at: undefined }];
  let values = 0;
  for (let next = left.pop(); next; next = left.pop()) {
    const { value, at } = next;
    const report = (place: Place | undefined, message: string) =>
      errors.push({ pointer: pointerTo(pathOf(place)), message });
    if (typeof value === 'string' && !value.isWellFormed()) report(at, halfCharacter);
    if (typeof value !== 'object' || value === null) continue;
    const entries = Object.entries(value);
    values += entries.length;
    if (values > mostValues)
      throw new ProblemError(422, 'too-many-values', `The body must have at most ${mostValues} values.`);
    for (const [key, inner] of entries.reverse()) {
      // A key that isn't text can't be named in a pointer either.
      if (!key.isWellFormed()) report(at, halfCharacter);
      else if (key === '__proto__') report({ key, above: at }, 'is a reserved name');
      else left.push({ value: inner, at: { key, above: at } });
    }
  }
  return errors;
}

const halfCharacter = 'must not contain half of a surrogate pair';

function pathOf(place: Place | undefined): string[] {
  const path: string[] = [];
  for (let at = place; at; at = at.above) path.push(at.key);
  return path.reverse();
}
