/** B1: what no tar archive may do, each by the reason that the user reads. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ArchiveError } from '../../../builder/archive/archive-error.ts';
import { attackedFolder, withByte } from './attacked.ts';
import { entry, file, hardLink, link, pax, tar, tarOf } from './tar.ts';

const { unpacked, clear, expectNothingOutside } = attackedFolder();

describe('B1 tar archives that are refused', () => {
  const cases: [name: string, bytes: Buffer, why: string][] = [
    ['an absolute path', tarOf(file('/tmp/x')), 'lies outside'],
    ['a path upwards', tarOf(file('a/../../x')), 'lies outside'],
    ['a path upwards at its end', tarOf({ path: 'a/..', type: '5' }), 'lies outside'],
    ['a Windows path upwards', tarOf(file('a\\..\\..\\x')), 'lies outside'],
    ['a Windows drive', tarOf(file('C:\\x')), 'lies outside'],
    ['a Windows share', tarOf(file('\\\\host\\x')), 'lies outside'],
    ['a long path upwards', tar(pax({ path: '../kept' }), entry(file('x'))), 'lies outside'],
    ['a prefix upwards', tarOf({ ...file('kept'), prefix: '..' }), 'lies outside'],
    ['a name with NUL', tar(pax({ path: 'a\0b' }), entry(file('x'))), 'lies outside'],
    ['a name that is not UTF-8', tarOf(file(Buffer.from([0x61, 0xff]))), 'not UTF-8'],
    ['no name', tarOf(file('')), 'does not name a file'],
    ['a name that is too long', tar(pax({ path: 'a'.repeat(300) }), entry(file('x'))), 'is too long'],
    ['a path that is too long', tar(pax({ path: 'a/'.repeat(3000) }), entry(file('x'))), 'too long'],
    ['a file through a link', tarOf(link('out', '..'), file('out/kept')), 'used as a folder'],
    [
      'a folder through a link',
      tarOf(link('out', '..'), { path: 'out/new/', type: '5' }),
      'used as a folder',
    ],
    [
      'a file through a chain of links',
      tarOf(link('a', 'b'), link('b', '..'), file('a/kept')),
      'used as a folder',
    ],
    ['a link through a link', tarOf(link('out', '..'), link('out/x', '/')), 'used as a folder'],
    [
      "a file through a link that took a file's place",
      tarOf(file('a'), link('a', '..'), file('a/kept')),
      'used as a folder',
    ],
    ["a link in a folder's place", tarOf({ path: 'a/', type: '5' }, link('a', '..')), 'both a folder'],
    ['a hard link upwards', tarOf(hardLink('x', '../kept')), 'lies outside'],
    ['a hard link to an absolute path', tarOf(hardLink('x', '/etc/passwd')), 'lies outside'],
    [
      'a hard link through a link',
      tarOf(link('out', '..'), hardLink('x', 'out/kept')),
      'is not a file in the archive',
    ],
    [
      'a hard link to a link',
      tarOf(link('out', '../kept'), hardLink('x', 'out')),
      'is not a file in the archive',
    ],
    [
      'a hard link to what comes later',
      tarOf(hardLink('x', 'later'), file('later')),
      'is not a file in the archive',
    ],
    ['a link to nothing', tarOf(link('x', '')), 'links to nothing'],
    ['a character device', tarOf({ path: 'x', type: '3' }), 'neither a file'],
    ['a block device', tarOf({ path: 'x', type: '4' }), 'neither a file'],
    ['a pipe', tarOf({ path: 'x', type: '6' }), 'neither a file'],
    ['a sparse file of GNU', tarOf({ path: 'x', type: 'S' }), 'neither a file'],
    ['a sparse file of pax', tar(pax({ 'GNU.sparse.realsize': '9999999' }), entry(file('x'))), 'sparse'],
    [
      'a pax size that is longer than the archive',
      tar(pax({ size: '1000000' }), entry(file('x'))),
      'ends in the middle',
    ],
    ['a pax size that is none', tar(pax({ size: '-1' }), entry(file('x'))), 'invalid size'],
    ['a pax size that is no number', tar(pax({ size: '0x10' }), entry(file('x'))), 'invalid size'],
    [
      'a pax header with a wrong length',
      tarOf({ path: 'p', type: 'x', content: '99 path=x\n' }),
      'pax header is invalid',
    ],
    ['a name of 2 MiB', tarOf({ path: 'p', type: 'L', content: 'a'.repeat(2 ** 21) }), 'longer than 1 MiB'],
    [
      'an end in the middle of a file',
      tarOf({ path: 'x', content: 'x'.repeat(5000) }).subarray(0, 2000),
      'ends in the middle',
    ],
    ['an end in the middle of a header', tarOf(file('x')).subarray(0, 300), 'ends in the middle'],
    [
      'another archive after its end',
      Buffer.concat([tarOf(file('x')), tarOf(file('y'))]),
      'has data after its end',
    ],
    [
      'a compression that ends in the middle',
      gzipSync(tarOf(file('x'))).subarray(0, -5),
      'compressed data is corrupt',
    ],
    [
      'rubbish behind the compression',
      Buffer.concat([gzipSync(tarOf(file('x'))), Buffer.from('rubbish')]),
      'compressed data is corrupt',
    ],
    [
      'another checksum of the compression',
      withByte(gzipSync(tarOf(file('x'))), -6),
      'compressed data is corrupt',
    ],
  ];
  test.each(cases)('%s', async (_name, bytes, why) => {
    await expect(unpacked(bytes)).rejects.toThrow(ArchiveError);
    clear();
    await expect(unpacked(bytes)).rejects.toThrow(why);
    expectNothingOutside();
  });
});
