/** I1: whatever comes as a cursor is one of this query, or refused with a problem that says so. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProblemError } from '../../../shared/http/problem.ts';
import { decodeCursor, encodeCursor, fingerprintOf, type ListedQuery } from '../../../shared/store/cursor.ts';

const name = fc.constantFrom('a', 'b', 'acme', 'globex', '');
const query: fc.Arbitrary<ListedQuery> = fc.record({
  organisation: name,
  collection: name,
  sort: name,
  filters: fc.dictionary(name, fc.option(name, { nil: undefined }), { maxKeys: 2 }),
  q: fc.option(name, { nil: undefined }),
});
/** Sort keys are text that DynamoDB takes: whole characters, a kilobyte at most. */
const part = fc.oneof(fc.constant(null), fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }));
const parts = fc.array(part, { maxLength: 4 });

function refused(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(ProblemError);
    expect(error).toMatchObject({ status: 422, code: 'invalid-cursor' });
    return;
  }
  expect.unreachable();
}

describe('I1 cursors', () => {
  test('come back as they were issued', () => {
    fc.assert(
      fc.property(query, parts, (asked, issued) => {
        const fingerprint = fingerprintOf(asked);
        expect(decodeCursor(encodeCursor(fingerprint, issued), fingerprint)).toEqual(issued);
      }),
    );
  });

  test("are refused by any other query, and by anybody else's", () => {
    const meaning = ({ filters, ...rest }: ListedQuery) =>
      JSON.stringify([
        rest.organisation,
        rest.collection,
        rest.sort,
        rest.q,
        Object.entries(filters)
          .filter(([, value]) => value !== undefined)
          .sort(),
      ]);
    fc.assert(
      fc.property(query, query, parts, (asked, other, issued) => {
        fc.pre(meaning(asked) !== meaning(other));
        const cursor = encodeCursor(fingerprintOf(asked), issued);
        refused(() => decodeCursor(cursor, fingerprintOf(other)));
      }),
    );
  });

  test('any other text is refused, or is exactly what would have been issued', () => {
    const fingerprint = fingerprintOf({
      organisation: 'acme',
      collection: 'images',
      sort: 'id',
      filters: {},
    });
    const like = fc.json().map((json) => Buffer.from(json).toString('base64url'));
    const ours = fc
      .array(fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.jsonValue()))
      .map((all) => Buffer.from(JSON.stringify([fingerprint, ...all])).toString('base64url'));
    const spelled = fc
      .tuple(ours, fc.nat(), fc.constantFrom('=', '%', '\n', '+', '/', ' ', 'A', '\0'))
      .map(
        ([cursor, at, extra]) =>
          cursor.slice(0, at % (cursor.length + 1)) + extra + cursor.slice(at % (cursor.length + 1)),
      );
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.base64String(), like, ours, spelled),
        (cursor) => {
          let decoded: (string | null)[];
          try {
            decoded = decodeCursor(cursor, fingerprint);
          } catch (error) {
            return refused(() => {
              throw error;
            });
          }
          expect(encodeCursor(fingerprint, decoded)).toBe(cursor);
          for (const one of decoded)
            expect(one === null || (one !== '' && Buffer.byteLength(one) <= 1024)).toBe(true);
        },
      ),
      { numRuns: 3000 },
    );
  });
});
