import { describe, expect, it } from 'vitest';
import { lineOfText } from '../../../shared/model/common.ts';
import { isOneLine } from '../../../shared/text/one-line.ts';

describe('a line that people call something by', () => {
  it.each([
    'Quay',
    'Modèle n° 3 — “essai”',
    '画像認識',
    'קטלוג',
    'سجل الصور',
    'می\u200cخواهم',
    'क्\u200dष',
    'e\u0301te\u0301',
    '🚀',
    '👩\u200d💻 Ada',
    '👨\u200d👩\u200d👧\u200d👦',
    '🏳\ufe0f\u200d🌈',
    '❤\ufe0f',
    '1\ufe0f\u20e3',
    '👋🏽',
    '\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}',
    'a b\u00a0c',
    '#',
  ])('may be %j', (text) => {
    expect(isOneLine(text)).toBe(true);
  });

  it.each([
    ['a line feed', 'a\nb'],
    ['a control character', 'a\u0007'],
    ['a next line', 'a\u0085b'],
    ['a line separator', 'a\u2028b'],
    ['a paragraph separator', 'a\u2029b'],
    ['an override of direction', 'a\u202egnp.exe'],
    ['an isolate', '\u2066a\u2069'],
    ['an embedding', '\u202ba\u202c'],
    ['a mark of direction', 'a\u200e'],
    ['an Arabic mark of direction', 'a\u061c'],
    ['a space of no width', 'ad\u200bmin'],
    ['a joiner between Latin letters', 'ad\u200dmin'],
    ['a non-joiner between Cyrillic letters', 'ад\u200cмин'],
    ['a joiner at the end', 'admin\u200d'],
    ['a word joiner', 'ad\u2060min'],
    ['a byte order mark', 'ad\ufeffmin'],
    ['a soft hyphen', 'ad\u00admin'],
    ['a filler', '\u3164'],
    ['a filler among letters', 'ad\u115fmin'],
    ['a selector after a letter', 'a\ufe0f'],
    ['a selector after a digit', '1\ufe0f'],
    ['tags without a flag', 'a\u{e0061}\u{e0062}\u{e0063}\u{e007f}'],
    ['an invisible operator', 'a\u2062b'],
    ['a braille blank', '\u2800'],
    ['a grapheme joiner', 'a\u034fb'],
    ['an annotation', 'a\ufff9b'],
    ['half a character', 'a\ud800'],
    ['nothing but spaces', '\u00a0\u2003'],
    ['an accent on nothing', '\u0301'],
  ])('has not %s', (_, text) => {
    expect(isOneLine(text)).toBe(false);
    expect(lineOfText(100).safeParse(text).success).toBe(false);
  });

  it('is not empty, which is said once', () => {
    expect(lineOfText(100).safeParse('  ').error?.issues).toHaveLength(1);
  });
});
