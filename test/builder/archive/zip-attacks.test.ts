/** B1: what no zip archive may do, each by the reason that the user reads. */
import { describe, expect, test } from 'vitest';
import { ArchiveError } from '../../../builder/archive/archive-error.ts';
import { attackedFolder, withByte } from './attacked.ts';
import { type ZipFile, zip } from './zip.ts';

const { unpacked, expectNothingOutside } = attackedFolder();

describe('B1 zip archives that are refused', () => {
  const one = (more: Partial<ZipFile> = {}) => zip([{ path: 'x', content: 'content', ...more }]);
  const whole = one();
  const cases: [name: string, bytes: Buffer, why: string][] = [
    ['an absolute path', one({ path: '/tmp/x' }), 'lies outside'],
    ['a path upwards', one({ path: '../kept' }), 'lies outside'],
    ['a Windows path upwards', one({ path: '..\\kept' }), 'lies outside'],
    ['a Windows drive', one({ path: 'C:\\x' }), 'lies outside'],
    ['a name with NUL', one({ path: 'a\0b' }), 'lies outside'],
    ['a name that is not UTF-8', one({ path: Buffer.from([0x61, 0xff]) }), 'not UTF-8'],
    [
      'a file through a link',
      zip([
        { path: 'out', content: '..', mode: 0o120777 },
        { path: 'out/kept', content: 'x' },
      ]),
      'used as a folder',
    ],
    ['a link of more than 4 KiB', one({ content: 'a'.repeat(5000), mode: 0o120777 }), 'too long'],
    ['a device', one({ mode: 0o020644 }), 'neither a file'],
    ['a pipe', one({ mode: 0o010644 }), 'neither a file'],
    ['an encrypted file', one({ flags: 1 }), 'is encrypted'],
    ['another name where it lies', one({ localPath: 'y' }), 'differs between'],
    ['another compression where it lies', one({ localMethod: 8 }), 'differs between'],
    [
      "another file's content",
      zip([
        { path: 'a', content: 'a' },
        { path: 'b', content: 'a', headerAt: 0 },
      ]),
      'differs between',
    ],
    [
      'a content that is nowhere',
      zip([{ path: 'sound' }, { path: 'x', headerAt: 5_000_000 }]),
      'ends in the middle',
    ],
    [
      'a content that is beyond any number',
      zip([{ path: 'sound' }, { path: 'x', zip64: true, headerAt: Number.MAX_SAFE_INTEGER }]),
      'ends in the middle',
    ],
    ['another checksum', one({ crc: 1 }), 'is damaged'],
    ['more content than it says', one({ sizeBytes: 2, deflate: true }), 'longer than declared'],
    ['less content than it says', one({ sizeBytes: 200 }), 'is damaged'],
    ['its end cut off', whole.subarray(0, -10), 'not a complete zip'],
    ['bytes after its end', Buffer.concat([whole, Buffer.from('more')]), 'after its end'],
    ['fewer entries than it says', withByte(whole, -12), 'is corrupt'],
    ['a compression that is not supported', withMethod(whole, 12), 'unsupported'],
  ];
  test.each(cases)('%s', async (_name, bytes, why) => {
    const failure = await unpacked(bytes).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ArchiveError);
    expect((failure as Error).message).toContain(why);
    expectNothingOutside();
  });
});

function withMethod(bytes: Buffer, method: number): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt16LE(method, changed.indexOf(Buffer.from([0x50, 0x4b, 1, 2])) + 10);
  return changed;
}
