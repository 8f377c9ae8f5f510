import { expect, test } from 'vitest';
import * as z from 'zod';
import { wording } from '../../../shared/text/wording.ts';

const either = z.discriminatedUnion('type', [
  z.object({ type: z.literal('build') }),
  z.object({ type: z.literal('reference') }),
]);

test.each<[z.ZodType, unknown, string]>([
  [z.string(), undefined, 'is required'],
  [z.array(z.string()), 'python train.py', 'must be a list'],
  [z.string(), 7, 'must be text'],
  [z.number(), '7', 'must be a number'],
  [z.int(), 1.5, 'must be a whole number'],
  [z.boolean(), 'yes', 'must be true or false'],
  [z.iso.datetime(), 'today', 'must be an ISO 8601 time, such as 2026-01-31T12:00:00Z'],
  [z.enum(['a', 'b', 'c']), 'd', 'must be a, b or c'],
  [z.strictObject({}), [], 'must be an object'],
  [z.record(z.string(), z.string()), 'A=1', 'must be an object'],
  [
    z.strictObject({}),
    { img: 1, tga: 2 },
    'There is no field `img`. No fields are allowed here.\nThere is no field `tga`.',
  ],
  [
    z.strictObject({ image: z.any().optional(), tags: z.any().optional() }),
    { img: 1 },
    'There is no field `img`. Did you mean `image`?',
  ],
  [z.enum(['warn', 'refuse']), 'no', 'must be warn or refuse'],
  [z.literal(true), false, 'must be true'],
  [either, { type: 'other' }, 'must be build or reference'],
  [z.union([z.string(), z.number()]), null, 'matches none of the forms that are allowed here'],
  [z.string().min(1), '', 'must not be empty'],
  [z.string().min(3), 'ab', 'must have at least 3 characters'],
  [z.string().max(3), 'abcd', 'must have at most 3 characters'],
  [z.array(z.string()).max(1), ['a', 'b'], 'must have at most 1 entry'],
  [z.number().max(25), 26, 'must be at most 25'],
  [z.number().positive(), 0, 'must be greater than 0'],
  [z.number().lt(1), 1, 'must be less than 1'],
  [z.number().multipleOf(4), 5, 'must be a multiple of 4'],
  [z.email(), 'x', 'must be an email address'],
  [z.string().regex(/^[a-z]+$/), 'A', 'must match /^[a-z]+$/'],
  [z.string().regex(/^[a-z]+$/, 'must be in lower case'), 'A', 'must be in lower case'],
])('%#: the message follows the name of the value', (schema, value, message) => {
  const result = schema.safeParse(value, { error: wording });
  expect(result.error?.issues.map((issue) => issue.message)).toEqual([message]);
});
