/** What is wrong with a request, as Batch says it. */
import type * as z from 'zod';
import { AwsError } from '../platform.ts';

const refused = (message: string): AwsError =>
  new AwsError('ClientException', `Error executing request, Exception : ${message}`);
const unsupported = (what: string): AwsError =>
  new AwsError('UnsupportedOperation', `The embedded cloud does not implement ${what} of Batch.`);

const kinds: Record<string, string> = {
  string: 'String',
  number: 'Integer',
  int: 'Integer',
  boolean: 'Boolean',
};

function valueAt(input: unknown, path: PropertyKey[]): unknown {
  let value = input;
  for (const key of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[key];
  return value;
}

const constraint = (place: string, must: string): AwsError =>
  refused(
    `1 validation error detected: Value at '${place}' failed to satisfy constraint: Member must ${must}`,
  );

function bound(place: string, origin: string, direction: 'greater' | 'less', limit: unknown): AwsError {
  const what = origin === 'number' || origin === 'int' ? 'value' : 'length';
  return constraint(place, `have ${what} ${direction} than or equal to ${limit}`);
}

/** The refusal of the first fault that zod found in `input`. */
export function batchRefusal(error: z.core.$ZodError, input: unknown): AwsError {
  const [issue] = error.issues;
  if (!issue) return refused('The request is not valid');
  const place = issue.path.join('.') || 'request';
  const value = valueAt(input, issue.path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return unsupported([...issue.path, issue.keys[0] ?? ''].join('.'));
    case 'invalid_type': {
      if (issue.expected === 'never') return unsupported(place);
      if (value === undefined || value === null) return refused(`${place} should not be empty`);
      const received = Array.isArray(value) ? 'ARRAY' : typeof value === 'object' ? 'OBJECT' : typeof value;
      return new AwsError(
        'SerializationException',
        `${received.toUpperCase()}_VALUE can not be converted to ${kinds[issue.expected] ?? issue.expected}`,
      );
    }
    case 'too_small':
      return bound(place, issue.origin, 'greater', issue.minimum);
    case 'too_big':
      return bound(place, issue.origin, 'less', issue.maximum);
    case 'invalid_value':
      if (value === undefined) return refused(`${place} should not be empty`);
      // A single value is what is here of those that Batch knows.
      if (issue.values.length === 1) return unsupported(`the ${place} ${JSON.stringify(value)}`);
      return constraint(place, `satisfy enum value set: [${issue.values.join(', ')}]`);
    default:
      return refused(issue.message);
  }
}
