/** What a schema found, field by field. */
import type * as z from 'zod';

export interface FieldError {
  /** JSON pointer into the body (`/source/dockerfile`), or `?name`, `{name}` for query and path parameters. */
  pointer: string;
  message: string;
}

/** How a part of the request names the place of a value. */
export type Name = (path: PropertyKey[]) => string;

/** RFC 6901. */
export const pointerTo: Name = (path) =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** Without zod's bound of whole numbers where the schema's own is told of the same value. */
export const withoutSafeBounds = (issues: z.core.$ZodIssue[]): z.core.$ZodIssue[] =>
  issues.filter(
    (one) =>
      !isSafeBound(one) || !issues.some((other) => other !== one && String(other.path) === String(one.path)),
  );

const isSafeBound = (issue: z.core.$ZodIssue): boolean =>
  (issue.code === 'too_big' && issue.maximum === Number.MAX_SAFE_INTEGER) ||
  (issue.code === 'too_small' && issue.minimum === Number.MIN_SAFE_INTEGER);

/** One by one, so that only those are made which are told. */
export function* fieldErrors(
  issue: z.core.$ZodIssue,
  name: Name,
  above: PropertyKey[] = [],
): Generator<FieldError> {
  const path = [...above, ...issue.path];
  switch (issue.code) {
    case 'unrecognized_keys':
      // The schema's names are known only to the wording: it writes a line for each key.
      for (const [i, key] of issue.keys.entries())
        yield { pointer: name([...path, key]), message: issue.message.split('\n')[i] ?? issue.message };
      return;
    case 'invalid_union': {
      const closest = closestBranch(issue.errors);
      if (!closest) return yield { pointer: name(path), message: issue.message };
      for (const inner of withoutSafeBounds(closest)) yield* fieldErrors(inner, name, path);
      return;
    }
    case 'invalid_key':
      for (const inner of issue.issues) yield { pointer: name(path), message: `its name ${inner.message}` };
      return;
    default:
      yield { pointer: name(path), message: issue.message };
  }
}

/** Of a union's branches, the one whose first fault lies deepest: what the sender most likely meant. */
function closestBranch(branches: z.core.$ZodIssue[][]): z.core.$ZodIssue[] | undefined {
  const depth = (issues: z.core.$ZodIssue[]) =>
    issues.reduce((least, { path }) => Math.min(least, path.length), Number.POSITIVE_INFINITY);
  return branches
    .filter((issues) => issues.length > 0)
    .sort((a, b) => depth(b) - depth(a) || a.length - b.length)[0];
}
