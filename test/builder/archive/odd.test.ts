/** B1: archives that unpack to more than is allowed, and odd ones that nothing is wrong with. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { TooLargeError } from '../../../builder/archive/archive-error.ts';
import { Budget } from '../../../builder/archive/budget.ts';
import { Place } from '../../../builder/archive/place.ts';
import { attackedFolder } from './attacked.ts';
import { entry, file, hardLink, link, pax, tar, tarOf } from './tar.ts';
import { type ZipFile, zip } from './zip.ts';

const { target, unpacked, expectNothingOutside } = attackedFolder();

describe('B1 archives that unpack to too much', () => {
  const terabyte = 2 ** 40;
  test.each<[string, Buffer]>([
    ['a pax size of a terabyte', tar(pax({ size: String(terabyte) }), entry(file('x')))],
    ['a zip entry of 4 GiB', zip([{ path: 'x', content: 'x', sizeBytes: 0xfffffffe }])],
    ['two hundred times its size', gzipSync(tarOf({ path: 'x', sizeBytes: 2 * 2 ** 30 }))],
  ])('%s', async (_name, bytes) => {
    await expect(unpacked(bytes)).rejects.toThrow(TooLargeError);
    expectNothingOutside();
  });

  test('entries, and folders that no entry names', async () => {
    const place = new Place(target(), 1000);
    const deep = (i: number) => ({ path: `${i}/b/c/d`, mode: 0o755 });
    // A million of real ones would take minutes: this is what each costs.
    await place.directory(deep(0));
    expect(readdirSync(join(target(), '0', 'b', 'c'))).toEqual(['d']);
    const budget = new Budget(1000);
    for (let i = 0; i < 1_000_000; i++) budget.entry();
    expect(() => budget.entry()).toThrow(TooLargeError);
  });

  test('a hundred times its size is what text is', async () => {
    await unpacked(gzipSync(tarOf({ path: 'zeros', content: Buffer.alloc(20 * 2 ** 20) })));
    expect(lstatSync(join(target(), 'zeros')).size).toBe(20 * 2 ** 20);
  });
});

describe('B1 archives that are odd, and honest', () => {
  test('links may lead anywhere, and lead nowhere while it is unpacked', async () => {
    await unpacked(
      tarOf(link('up', '../kept'), link('root', '/'), file('up'), hardLink('again', 'up'), file('up')),
    );
    expect(lstatSync(join(target(), 'up')).isFile()).toBe(true);
    expect(readFileSync(join(target(), 'again'), 'utf8')).toBe('x');
    expectNothingOutside();
  });

  test.each<[string, Buffer]>([
    ['tar', tarOf(file('a'), { path: 'a', content: 'last' })],
    [
      'zip',
      zip([
        { path: 'a', content: 'x' },
        { path: './a', content: 'last', deflate: true },
      ]),
    ],
  ])('of entries with one name the last counts: %s', async (_name, bytes) => {
    await unpacked(bytes);
    expect(readFileSync(join(target(), 'a'), 'utf8')).toBe('last');
  });

  test('zip64, a comment with an end in it, names outside of ASCII, folders by mode', async () => {
    const files: ZipFile[] = [
      { path: 'ü/', mode: 0o040755 },
      { path: 'ü/naïve', content: 'x', zip64: true, deflate: true },
    ];
    await unpacked(zip(files, 'PK\u0005\u0006 is no end'));
    expect(readFileSync(join(target(), 'ü', 'naïve'), 'utf8')).toBe('x');
  });

  test('a size on what has no content, a time that no file can have, no blocks at its end', async () => {
    const odd = [
      { ...hardLink('b', 'a'), sizeBytes: 9 },
      { ...link('c', 'a'), sizeBytes: 9 },
    ];
    const times = pax({ mtime: 'never' });
    await unpacked(Buffer.concat([entry(file('a')), ...odd.map(entry), times, entry(file('d'))]));
    expect(readdirSync(target()).sort()).toEqual(['a', 'b', 'c', 'd']);
  });

  /** The same with other fields; the sum, too, is written in its own way. */
  const rewritten = (bytes: Buffer, fields: Record<number, string>, sumAs: (octal: string) => string) => {
    const header = Buffer.from(bytes);
    for (const [at, text] of Object.entries(fields)) header.write(text, Number(at), 'latin1');
    header.write('        ', 148);
    const sum = header.subarray(0, 512).reduce((all, byte) => all + byte, 0);
    header.write(sumAs(sum.toString(8)), 148, 'latin1');
    return header;
  };

  test.each<[string, Buffer]>([
    [
      'numbers filled with spaces, as Perl writes them',
      rewritten(entry(file('a')), { 124: '          1 ' }, (octal) => ` ${octal.padStart(6)}\0`),
    ],
    [
      'the oldest form, which has no mark',
      rewritten(entry(file('a')), { 257: '\0'.repeat(8) }, (octal) => `${octal.padStart(6, '0')}\0 `),
    ],
  ])('%s', async (_name, first) => {
    await unpacked(tar(first));
    expect(readFileSync(join(target(), 'a'), 'utf8')).toBe('x');
  });

  test('nothing in it', async () => {
    await unpacked(tar());
    expect(readdirSync(target())).toEqual([]);
  });
});
