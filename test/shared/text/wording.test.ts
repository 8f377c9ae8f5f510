import { expect, test } from 'vitest';
import * as z from 'zod';
import { wording } from '../../../shared/text/wording.ts';

const either = z.discriminatedUnion('type', [
  z.object({ type: z.literal('build') }),
  z.object({ type: z.literal('reference') }),
]);

test.each<[z.ZodType, unknown, string]>([
  [z.string(), undefined, 'is missing'],
  [z.array(z.string()), 'python train.py', 'is to be a list'],
  [z.string(), 7, 'is to be text'],
  [z.number(), '7', 'is to be a number'],
  [z.int(), 1.5, 'is to be a whole number'],
  [z.boolean(), 'yes', 'is to be true or false'],
  [z.strictObject({}), [], 'is to be an object'],
  [z.record(z.string(), z.string()), 'A=1', 'is to be an object'],
  [z.strictObject({}), { img: 1, tga: 2 }, 'unknown img, tga; there are none'],
  [
    z.strictObject({ image: z.any().optional(), tags: z.any().optional() }),
    { img: 1 },
    'unknown img; there are image, tags',
  ],
  [z.enum(['warn', 'refuse']), 'no', 'is to be warn or refuse'],
  [z.literal(true), false, 'is to be true'],
  [either, { type: 'other' }, 'is to be build or reference'],
  [z.union([z.string(), z.number()]), null, 'has none of the forms it may have'],
  [z.string().min(1), '', 'is empty'],
  [z.string().min(3), 'ab', 'is to have at least 3 characters'],
  [z.string().max(3), 'abcd', 'is to have at most 3 characters'],
  [z.array(z.string()).max(1), ['a', 'b'], 'is to have at most 1 entries'],
  [z.number().max(25), 26, 'is to be at most 25'],
  [z.number().positive(), 0, 'is to be more than 0'],
  [z.number().lt(1), 1, 'is to be less than 1'],
  [z.number().multipleOf(4), 5, 'is to be a multiple of 4'],
  [z.email(), 'x', 'is no e-mail address'],
  [z.string().regex(/^[a-z]+$/), 'A', 'does not match /^[a-z]+$/'],
  [z.string().regex(/^[a-z]+$/, 'is not in small letters'), 'A', 'is not in small letters'],
])('%#: what is wrong is said to whoever wrote it', (schema, value, message) => {
  const result = schema.safeParse(value, { error: wording });
  expect(result.error?.issues.map((issue) => issue.message)).toEqual([message]);
});
