/** Conditional requests, as RFC 9110 has them (sections 8.8.3, 13.1). */
import { ProblemError } from './problem.ts';

interface EntityTag {
  isWeak: boolean;
  value: string;
}

/** A tag with the comma or the end behind it, or an empty element. It reads every character once, whatever comes. */
const element = /[ \t]*(?:(W\/)?"([\x21\x23-\x7e\x80-\u00ff]*)"[ \t]*(?:,|$)|,)/y;

/** Throws 400 for what is neither `*` nor a list of entity tags. A lone version without its quotes is taken for one. */
function parse(header: string): '*' | EntityTag[] {
  const text = header.trim();
  if (text === '*') return '*';
  if (/^\d+$/.test(text)) return [{ isWeak: false, value: text }];
  const tags: EntityTag[] = [];
  element.lastIndex = 0;
  while (element.lastIndex < text.length) {
    const found = element.exec(text);
    if (!found) throw notTags();
    const [, weak, value] = found;
    if (value !== undefined) tags.push({ isWeak: weak !== undefined, value });
  }
  if (tags.length === 0) throw notTags();
  return tags;
}

const notTags = () =>
  new ProblemError(
    400,
    'invalid-precondition',
    'If-Match and If-None-Match must be * or quoted entity tags, separated by commas.',
  );

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
