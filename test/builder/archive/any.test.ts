/** B1: whatever an archive says, and whatever is damaged in it. */
import { existsSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ArchiveError } from '../../../builder/archive/archive-error.ts';
import { attackedFolder } from './attacked.ts';
import { file, hardLink, link, tarOf } from './tar.ts';
import { zip } from './zip.ts';

const { unpacked, clear, expectNothingOutside } = attackedFolder();

describe('B1 whatever an archive says', () => {
  const name = fc
    .array(fc.constantFrom('a', 'b', 'c', '..', '.', '', 'kept', '\\', 'C:', '\0', 'é'), { maxLength: 4 })
    .map((parts) => parts.join('/'));
  const anyName = fc.oneof(
    { weight: 5, arbitrary: name },
    { weight: 1, arbitrary: fc.string({ maxLength: 20 }) },
  );
  const tarEntry = fc.record({
    path: anyName,
    link: fc.oneof(anyName, fc.constantFrom('..', '../kept', '/', '/tmp', 'a', 'a/b')),
    type: fc.constantFrom('0', '0', '0', '1', '2', '2', '5', '5', '3', 'x', 'L', 'K', '7'),
    content: fc.string({ maxLength: 30 }),
  });
  const zipFile = fc.record({
    path: anyName,
    content: fc.oneof(anyName, fc.constantFrom('..', '../kept', '/')),
    mode: fc.constantFrom(0o100644, 0o100644, 0o120777, 0o120777, 0o040755, 0),
    deflate: fc.boolean(),
  });

  async function expectContained(bytes: Buffer): Promise<void> {
    clear();
    try {
      await unpacked(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(ArchiveError);
    }
    expectNothingOutside();
    expect(existsSync('/tmp/kept')).toBe(false);
  }

  test('nothing of a tar lands outside', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(tarEntry, { maxLength: 8 }), (entries) => expectContained(tarOf(...entries))),
      { numRuns: 500 },
    );
  });

  test('nothing of a zip lands outside', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(zipFile, { maxLength: 8 }), (files) => expectContained(zip(files))),
      { numRuns: 300 },
    );
  });

  test('any damage is refused, or changes only what is inside', async () => {
    const sound = [
      tarOf({ path: 'a/', type: '5' }, file('a/b'), link('l', 'a/b'), hardLink('h', 'a/b')),
      gzipSync(tarOf(file('a/b'))),
      zip([
        { path: 'a/b', content: 'content', deflate: true },
        { path: 'l', content: 'a/b', mode: 0o120777, zip64: true },
      ]),
    ];
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...sound), damage, fc.nat(), async (bytes, changes, cut) => {
        const changed = Buffer.from(
          bytes.subarray(0, bytes.length - (cut % 3 === 0 ? cut % bytes.length : 0)),
        );
        for (const [at, value] of changes) if (changed.length > 0) changed[at % changed.length] = value;
        await expectContained(changed);
      }),
      { numRuns: 500 },
    );
  });
});
