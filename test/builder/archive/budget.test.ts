/** B1: all that a decompressor gives counts, not only what the archive's entries say of themselves. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ArchiveError, TooLargeError } from '../../../builder/archive/archive-error.ts';
import { attackedFolder } from './attacked.ts';
import { entry, file, pax, tar, tarOf } from './tar.ts';
import { zip } from './zip.ts';

const { unpacked, clear } = attackedFolder();
const failureOf = (bytes: Buffer) =>
  unpacked(bytes).then(
    () => undefined,
    (error: unknown) => error,
  );

/** A gzip member of 64 MiB of zeros: 64 kB. As many of them as one likes are one stream. */
const zeros = gzipSync(Buffer.alloc(64 * 2 ** 20));
const many = (count: number, member: Buffer) => Buffer.concat(Array.from({ length: count }, () => member));

describe('B1 an archive that unpacks to more than its entries say', () => {
  test('zeros behind the end of a tar', async () => {
    const bomb = Buffer.concat([gzipSync(tarOf(file('a'))), many(40, zeros)]);
    expect(await failureOf(bomb)).toBeInstanceOf(TooLargeError);
  });

  test('names that no entry follows', async () => {
    // 1 MiB each, all of the same letter.
    const names = gzipSync(
      Buffer.concat(Array.from({ length: 16 }, () => pax({ path: 'a'.repeat(2 ** 20 - 20) }))),
    );
    expect(await failureOf(Buffer.concat([many(80, names), gzipSync(tar(entry(file('a'))))]))).toBeInstanceOf(
      TooLargeError,
    );
  });

  test('zip entries that share their bytes, which are read for each of them', async () => {
    const files = Array.from({ length: 50 }, (_, i) => ({
      path: `f${i}`,
      content: 'x'.repeat(100),
      deflate: true,
    }));
    const bytes = zip(files);
    await unpacked(bytes);
    const signature = Buffer.from([0x50, 0x4b, 1, 2]);
    const directory = bytes.indexOf(signature);
    // Each goes on through all that come behind it.
    for (let at = directory; at >= 0; at = bytes.indexOf(signature, at + 4))
      bytes.writeUInt32LE(
        Math.max(bytes.readUInt32LE(at + 20), directory - bytes.readUInt32LE(at + 42) - 60),
        at + 20,
      );
    clear();
    const failure = await failureOf(bytes);
    expect(failure).toBeInstanceOf(ArchiveError);
    expect((failure as Error).message).toContain('overlap');
  });
});
