/** B1: what no archive may do, each by the reason that the user reads. Nothing is ever written outside of the folder. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ArchiveError, TooLargeError } from '../../../builder/archive/archive-error.ts';
import { Budget } from '../../../builder/archive/budget.ts';
import { Place } from '../../../builder/archive/place.ts';
import { unpack } from '../../../builder/archive/unpack.ts';
import { entry, pax, type TarEntry, tar, tarOf } from './tar.ts';
import { type ZipFile, zip } from './zip.ts';

let folder: string;
let target: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-attack-'));
  target = join(folder, 'target');
  mkdirSync(target);
  writeFileSync(join(folder, 'kept'), 'as it was');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function unpacked(bytes: Buffer): Promise<void> {
  const archive = join(folder, 'archive');
  writeFileSync(archive, bytes);
  try {
    await unpack(archive, target);
  } finally {
    rmSync(archive);
  }
}

function expectNothingOutside(): void {
  expect(readdirSync(folder).sort()).toEqual(['kept', 'target']);
  expect(readFileSync(join(folder, 'kept'), 'utf8')).toBe('as it was');
  expect(lstatSync(join(folder, 'kept')).nlink).toBe(1);
}

const file = (path: string | Buffer): TarEntry => ({ path, content: 'x' });
const link = (path: string, to: string): TarEntry => ({ path, type: '2', link: to });
const hardLink = (path: string, to: string): TarEntry => ({ path, type: '1', link: to });

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
    ['no name', tarOf(file('')), 'names no file'],
    ['a name that is too long', tar(pax({ path: 'a'.repeat(300) }), entry(file('x'))), 'too long a name'],
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
    ['a hard link through a link', tarOf(link('out', '..'), hardLink('x', 'out/kept')), 'no file of it'],
    ['a hard link to a link', tarOf(link('out', '../kept'), hardLink('x', 'out')), 'no file of it'],
    ['a hard link to what comes later', tarOf(hardLink('x', 'later'), file('later')), 'no file of it'],
    ['a link to nothing', tarOf(link('x', '')), 'links to nothing'],
    ['a character device', tarOf({ path: 'x', type: '3' }), 'neither file'],
    ['a block device', tarOf({ path: 'x', type: '4' }), 'neither file'],
    ['a pipe', tarOf({ path: 'x', type: '6' }), 'neither file'],
    ['a sparse file of GNU', tarOf({ path: 'x', type: 'S' }), 'neither file'],
    ['a sparse file of pax', tar(pax({ 'GNU.sparse.realsize': '9999999' }), entry(file('x'))), 'sparse'],
    [
      'a pax size that is longer than the archive',
      tar(pax({ size: '1000000' }), entry(file('x'))),
      'ends in the middle',
    ],
    ['a pax size that is none', tar(pax({ size: '-1' }), entry(file('x'))), 'size that is none'],
    ['a pax size that is no number', tar(pax({ size: '0x10' }), entry(file('x'))), 'size that is none'],
    [
      'a pax header with a wrong length',
      tarOf({ path: 'p', type: 'x', content: '99 path=x\n' }),
      'pax header is broken',
    ],
    ['a name of 2 MiB', tarOf({ path: 'p', type: 'L', content: 'a'.repeat(2 ** 21) }), 'longer than 1 MiB'],
    [
      'an end in the middle of a file',
      tarOf({ path: 'x', content: 'x'.repeat(5000) }).subarray(0, 2000),
      'ends in the middle',
    ],
    ['an end in the middle of a header', tarOf(file('x')).subarray(0, 300), 'ends in the middle'],
    [
      'another archive behind its end',
      Buffer.concat([tarOf(file('x')), tarOf(file('y'))]),
      'goes on behind its end',
    ],
    [
      'a compression that ends in the middle',
      gzipSync(tarOf(file('x'))).subarray(0, -5),
      'compression is damaged',
    ],
    [
      'rubbish behind the compression',
      Buffer.concat([gzipSync(tarOf(file('x'))), Buffer.from('rubbish')]),
      'compression is damaged',
    ],
    [
      'another checksum of the compression',
      withByte(gzipSync(tarOf(file('x'))), -6),
      'compression is damaged',
    ],
  ];
  test.each(cases)('%s', async (_name, bytes, why) => {
    await expect(unpacked(bytes)).rejects.toThrow(ArchiveError);
    rmSync(target, { recursive: true });
    mkdirSync(target);
    await expect(unpacked(bytes)).rejects.toThrow(why);
    expectNothingOutside();
  });
});

function withByte(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes);
  const place = (at + changed.length) % changed.length;
  changed[place] = (changed[place] ?? 0) ^ 0x55;
  return changed;
}

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
    ['a device', one({ mode: 0o020644 }), 'neither file'],
    ['a pipe', one({ mode: 0o010644 }), 'neither file'],
    ['an encrypted file', one({ flags: 1 }), 'is encrypted'],
    ['another name where it lies', one({ localPath: 'y' }), 'something else where it lies'],
    ['another compression where it lies', one({ localMethod: 8 }), 'something else where it lies'],
    [
      "another file's content",
      zip([
        { path: 'a', content: 'a' },
        { path: 'b', content: 'a', headerAt: 0 },
      ]),
      'something else where it lies',
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
    ['more content than it says', one({ sizeBytes: 2, deflate: true }), 'longer than it says'],
    ['less content than it says', one({ sizeBytes: 200 }), 'is damaged'],
    ['its end cut off', whole.subarray(0, -10), 'not a whole zip'],
    ['bytes behind its end', Buffer.concat([whole, Buffer.from('more')]), 'behind its end'],
    ['fewer entries than it says', withByte(whole, -12), 'is broken'],
    ['a compression that is not supported', withMethod(whole, 12), 'not supported'],
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
    const place = new Place(target, 1000);
    const deep = (i: number) => ({ path: `${i}/b/c/d`, mode: 0o755 });
    // A million of real ones would take minutes: this is what each costs.
    await place.directory(deep(0));
    expect(readdirSync(join(target, '0', 'b', 'c'))).toEqual(['d']);
    const budget = new Budget(1000);
    for (let i = 0; i < 1_000_000; i++) budget.entry();
    expect(() => budget.entry()).toThrow(TooLargeError);
  });

  test('a hundred times its size is what text is', async () => {
    await unpacked(gzipSync(tarOf({ path: 'zeros', content: Buffer.alloc(20 * 2 ** 20) })));
    expect(lstatSync(join(target, 'zeros')).size).toBe(20 * 2 ** 20);
  });
});

describe('B1 archives that are odd, and honest', () => {
  test('links may lead anywhere, and lead nowhere while it is unpacked', async () => {
    await unpacked(
      tarOf(link('up', '../kept'), link('root', '/'), file('up'), hardLink('again', 'up'), file('up')),
    );
    expect(lstatSync(join(target, 'up')).isFile()).toBe(true);
    expect(readFileSync(join(target, 'again'), 'utf8')).toBe('x');
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
    expect(readFileSync(join(target, 'a'), 'utf8')).toBe('last');
  });

  test('zip64, a comment with an end in it, names outside of ASCII, folders by mode', async () => {
    const files: ZipFile[] = [
      { path: 'ü/', mode: 0o040755 },
      { path: 'ü/naïve', content: 'x', zip64: true, deflate: true },
    ];
    await unpacked(zip(files, 'PK\u0005\u0006 is no end'));
    expect(readFileSync(join(target, 'ü', 'naïve'), 'utf8')).toBe('x');
  });

  test('a size on what has no content, a time that no file can have, no blocks at its end', async () => {
    const odd = [
      { ...hardLink('b', 'a'), sizeBytes: 9 },
      { ...link('c', 'a'), sizeBytes: 9 },
    ];
    const times = pax({ mtime: 'never' });
    await unpacked(Buffer.concat([entry(file('a')), ...odd.map(entry), times, entry(file('d'))]));
    expect(readdirSync(target).sort()).toEqual(['a', 'b', 'c', 'd']);
  });
});

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
    rmSync(target, { recursive: true });
    mkdirSync(target);
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
