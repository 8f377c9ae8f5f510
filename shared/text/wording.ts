/** What is wrong with a value, as a predicate that follows the value's name: "must be text". */
import type * as z from 'zod';
import { closestName } from './spelling.ts';

const kinds: Record<string, string> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'an object',
  record: 'an object',
  string: 'text',
};
const units: Record<string, [one: string, many: string]> = {
  string: ['character', 'characters'],
  array: ['entry', 'entries'],
  map: ['entry', 'entries'],
  object: ['field', 'fields'],
};
const formats: Record<string, string> = {
  datetime: 'an ISO 8601 time, such as 2026-01-31T12:00:00Z',
  email: 'an email address',
  url: 'a URL',
};

/** What the names of an object are called where it is read. */
export type Noun = 'field' | 'parameter';

/**
 * For every fault that a schema itself doesn't word. Functions are bundled without zod's own messages. For unknown names
 * the message has one line for each name.
 */
export const wordingOf =
  (noun: Noun): z.core.$ZodErrorMap =>
  (issue) => {
    switch (issue.code) {
      case 'invalid_type':
        return issue.input === undefined
          ? 'is required'
          : `must be ${kinds[issue.expected] ?? issue.expected}`;
      case 'invalid_value':
        return `must be ${alternatives(issue.values.map(String))}`;
      case 'invalid_union':
        if (!Array.isArray(issue.options)) return 'matches none of the forms that are allowed here';
        return `must be ${alternatives(issue.options.map(String))}`;
      case 'too_small':
        if (issue.origin === 'string' && issue.minimum === 1) return 'must not be empty';
        return limit('least', issue.origin, issue.minimum, issue.inclusive);
      case 'too_big':
        return limit('most', issue.origin, issue.maximum, issue.inclusive);
      case 'invalid_format':
        if (issue.format === 'regex') return `must match ${issue.pattern}`;
        return `must be ${formats[issue.format] ?? issue.format}`;
      case 'unrecognized_keys':
        return unknownNames(issue.keys, namesOf(issue.inst), noun);
      case 'not_multiple_of':
        return `must be a multiple of ${issue.divisor}`;
      default:
        return 'is not valid';
    }
  };

export const wording = wordingOf('field');

/** An object of more unknown names than anybody reads would take long to compare. */
const mostNames = 50;

/** One line for each unknown name up to `mostNames`, with the name that was probably meant; else once with all names that there are. */
export function unknownNames(unknown: readonly string[], known: readonly string[], noun: Noun): string {
  let isListed = false;
  const lines = unknown.slice(0, mostNames).map((name) => {
    const said = `There is no ${noun} ${quoted(name)}.`;
    const meant = closestName(name, known);
    if (meant !== undefined) return `${said} Did you mean ${quoted(meant)}?`;
    if (isListed) return said;
    isListed = true;
    const [first, ...others] = known.map(quoted);
    if (first === undefined) return `${said} No ${noun}s are allowed here.`;
    return others.length === 0
      ? `${said} The only ${noun} is ${first}.`
      : `${said} The ${noun}s are ${[first, ...others].join(', ')}.`;
  });
  return lines.join('\n');
}

const quoted = (name: string) => `\`${name.replace(/\p{C}+/gu, ' ')}\``;

const namesOf = (schema: unknown): string[] =>
  Object.keys((schema as z.core.$ZodObject | undefined)?._zod.def.shape ?? {});

/** "a", "a or b", "a, b or c". */
function alternatives(values: string[]): string {
  const last = values.at(-1) ?? '';
  return values.length < 2 ? last : `${values.slice(0, -1).join(', ')} or ${last}`;
}

function limit(which: 'least' | 'most', origin: string, bound: number | bigint, inclusive = true): string {
  const unit = units[origin];
  if (unit) return `must have at ${which} ${bound} ${unit[Number(bound) === 1 ? 0 : 1]}`;
  if (inclusive) return `must be at ${which} ${bound}`;
  return `must be ${which === 'least' ? 'greater' : 'less'} than ${bound}`;
}
