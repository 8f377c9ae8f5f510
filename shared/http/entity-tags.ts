/** Conditional requests, as RFC 9110 has them (sections 8.8.3, 13.1). */
import { ProblemError } from './problem.ts';

interface EntityTag {
  isWeak: boolean;
  value: string;
}

/** Throws 400 for what is neither `*` nor a list of entity tags. A lone version without its quotes is taken for one. */
function parse(header: string): '*' | EntityTag[] {
  const text = header.trim();
  if (text === '*') return '*';
  if (/^\d+$/.test(text)) return [{ isWeak: false, value: text }];
  const tags = [...text.matchAll(/(W\/)?"([\x21\x23-\x7e\x80-\u00ff]*)"/g)];
  const list = /^(?:\s*,)*\s*(?:W\/)?"[^"]*"(?:\s*,\s*(?:(?:W\/)?"[^"]*")?)*$/;
  if (!list.test(text) || tags.length === 0)
    throw new ProblemError(
      400,
      'invalid-precondition',
      'If-Match and If-None-Match must be * or quoted entity tags, separated by commas.',
    );
  return tags.map(([, weak, value = '']) => ({ isWeak: weak !== undefined, value }));
}

/** By the strong comparison: a weak tag matches nothing. `version` is undefined where there is nothing yet: its tag is "0". */
export function matchesStrongly(header: string, version: number | string | undefined): boolean {
  const tags = parse(header);
  if (tags === '*') return version !== undefined;
  return tags.some(({ isWeak, value }) => !isWeak && value === String(version ?? 0));
}

/** By the weak comparison, for reads. */
export function matchesWeakly(header: string, version: number | string): boolean {
  const tags = parse(header);
  return tags === '*' || tags.some(({ value }) => value === String(version));
}
