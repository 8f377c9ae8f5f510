/** What is wrong with a value, in words for whoever wrote it; to stand behind the value's name. */
import type * as z from 'zod';

const kinds: Record<string, string> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'an object',
  record: 'an object',
  string: 'text',
};
const units: Record<string, string> = {
  string: 'characters',
  array: 'entries',
  map: 'entries',
  object: 'fields',
};
const formats: Record<string, string> = { email: 'e-mail address', url: 'URL', datetime: 'ISO 8601 time' };

/** For every fault that a schema itself doesn't word. Functions are bundled without zod's own messages. */
export const wording: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `is to be ${kinds[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `is to be ${issue.values.map(String).join(' or ')}`;
    case 'invalid_union':
      return Array.isArray(issue.options)
        ? `is to be ${issue.options.join(' or ')}`
        : 'has none of the forms it may have';
    case 'too_small':
      if (issue.origin === 'string' && issue.minimum === 1) return 'is empty';
      return limit('least', issue.origin, issue.minimum, issue.inclusive);
    case 'too_big':
      return limit('most', issue.origin, issue.maximum, issue.inclusive);
    case 'invalid_format':
      return issue.format === 'regex'
        ? `does not match ${issue.pattern}`
        : `is no ${formats[issue.format] ?? issue.format}`;
    case 'unrecognized_keys':
      // Mostly misspelt: the names that there are say how it is spelt.
      return `unknown ${issue.keys.join(', ')}; there are ${namesOf(issue.inst).join(', ') || 'none'}`;
    case 'not_multiple_of':
      return `is to be a multiple of ${issue.divisor}`;
    default:
      return 'is not valid';
  }
};

const namesOf = (schema: unknown): string[] =>
  Object.keys((schema as z.core.$ZodObject | undefined)?._zod.def.shape ?? {});

function limit(which: 'least' | 'most', origin: string, bound: number | bigint, inclusive = true): string {
  const unit = units[origin];
  if (unit) return `is to have at ${which} ${bound} ${unit}`;
  if (inclusive) return `is to be at ${which} ${bound}`;
  return `is to be ${which === 'least' ? 'more' : 'less'} than ${bound}`;
}
