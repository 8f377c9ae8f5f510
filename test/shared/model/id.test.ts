import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crockford, idSchema, idTime, newId } from '../../../shared/model/id.ts';

const time = fc.integer({ min: 0, max: 2 ** 49 - 1 });
const bytes = fc.uint8Array({ minLength: 10, maxLength: 10 });

test('ids sort by the time they were made, hold it, and fit their schema', () => {
  fc.assert(
    fc.property(time, time, bytes, bytes, (a, b, x, y) => {
      const [first, second] = [newId('image', a, x), newId('image', b, y)];
      expect(idTime(first)).toBe(a);
      if (a < b) expect(first < second).toBe(true);
      expect(idSchema('image').safeParse(first).success).toBe(true);
      expect(idSchema('build').safeParse(first).success).toBe(false);
    }),
  );
});

test('no bit of the random part is lost', () => {
  fc.assert(
    fc.property(bytes, bytes, (x, y) => {
      expect(crockford(x, 16) === crockford(y, 16)).toBe(Buffer.from(x).equals(Buffer.from(y)));
    }),
  );
});
