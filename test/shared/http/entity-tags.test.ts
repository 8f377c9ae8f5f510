import { describe, expect, it } from 'vitest';
import { matchesStrongly, matchesWeakly } from '../../../shared/http/entity-tags.ts';

describe('lists of entity tags', () => {
  it.each([
    ['"2"', true],
    ['2', true],
    ['*', true],
    ['"1", "2"', true],
    ['"1","2"', true],
    [',"2",,', true],
    ['\t"1"\t,\t"2"\t', true],
    // A comma and other marks may stand in a tag.
    ['"a,b", "2"', true],
    ['","', false],
    ['W/"2"', false],
    ['""', false],
    ['"1", W/"2"', false],
  ])('%s', (header, matches) => {
    expect(matchesStrongly(header, 2)).toBe(matches);
  });

  it.each([
    '',
    ',',
    ' , ',
    '"',
    '"2',
    '2"',
    '"2" "3"',
    '2, 3',
    '"a b"',
    '"a b","2"',
    'W/',
    'w/"2"',
    '"2";',
    '*, "2"',
  ])('refuses %j', (header) => {
    expect(() => matchesStrongly(header, 2)).toThrow(/quoted entity tags/);
    expect(() => matchesWeakly(header, 2)).toThrow(/quoted entity tags/);
  });

  // As long as the gateway lets a header be. What reads an element in two ways takes twice as long for each of them.
  it.each([', ', ',', ' ', '\t,', '"a", ', '"', 'W/', '"a" '])('reads a long list of %j at once', (part) => {
    const header = `"a"${part.repeat(10_000 / part.length)}x`;
    expect(() => matchesStrongly(header, 2)).toThrow(/quoted entity tags/);
  });
});
