/** Contexts are somebody's uploads: what is honest is unpacked as tar and unzip would, what leads outside is refused. */
import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ArchiveError } from '../../../builder/archive/archive-error.ts';
import { unpack } from '../../../builder/archive/unpack.ts';
import { entry, tar } from './tar.ts';

let folder: string;
let target: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-archive-'));
  target = join(folder, 'target');
  mkdirSync(target);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const longName = `${'d'.repeat(60)}/${'e'.repeat(60)}/${'f'.repeat(120)}-ü.txt`;

/** A folder with all that a real one has. */
function sample(): string {
  const source = join(folder, 'source');
  mkdirSync(join(source, 'sub', 'empty'), { recursive: true });
  mkdirSync(join(source, longName, '..'), { recursive: true });
  writeFileSync(join(source, 'hello.txt'), 'hello\n');
  writeFileSync(join(source, 'sub', 'run.sh'), '#!/bin/sh\n', { mode: 0o755 });
  writeFileSync(join(source, 'empty.txt'), '');
  writeFileSync(join(source, 'large.bin'), Buffer.alloc(3_000_001, 7));
  writeFileSync(join(source, longName), 'deep');
  symlinkSync('../hello.txt', join(source, 'sub', 'link'));
  return source;
}

function expectSample(): void {
  expect(readFileSync(join(target, 'hello.txt'), 'utf8')).toBe('hello\n');
  expect(lstatSync(join(target, 'sub', 'run.sh')).mode & 0o777).toBe(0o755);
  expect(lstatSync(join(target, 'sub', 'empty')).isDirectory()).toBe(true);
  expect(readFileSync(join(target, 'empty.txt'), 'utf8')).toBe('');
  expect(readFileSync(join(target, 'large.bin')).equals(Buffer.alloc(3_000_001, 7))).toBe(true);
  expect(readFileSync(join(target, longName), 'utf8')).toBe('deep');
  expect(readlinkSync(join(target, 'sub', 'link'))).toBe('../hello.txt');
}

describe('B1 archives that are unpacked', () => {
  const forms: [string, string[]][] = [
    ['tar', ['-cf']],
    ['tar.gz', ['-czf']],
    ['GNU tar', ['--format=gnu', '-czf']],
    ['pax tar', ['--format=pax', '-czf']],
  ];
  test.each(forms)('%s', async (_name, options) => {
    const archive = join(folder, 'context');
    execFileSync('tar', [...options, archive, '-C', sample(), '.']);
    await unpack(archive, target);
    expectSample();
  });

  test('zip, deflated and stored, with modes and links', async () => {
    const archive = join(folder, 'context.zip');
    execFileSync('python3', ['-c', zipScript, sample(), archive]);
    await unpack(archive, target);
    expectSample();
  });

  test('hard links, and a later entry of the same name', async () => {
    const archive = join(folder, 'context');
    writeFileSync(
      archive,
      tar(
        entry({ path: 'a', content: 'first' }),
        entry({ path: 'b', type: '1', link: 'a' }),
        entry({ path: 'a', content: 'second' }),
      ),
    );
    await unpack(archive, target);
    expect(readFileSync(join(target, 'a'), 'utf8')).toBe('second');
    expect(readFileSync(join(target, 'b'), 'utf8')).toBe('first');
  });
});

describe('B1 archives that are refused', () => {
  const attacks: [string, Buffer][] = [
    ['an absolute path', tar(entry({ path: '/tmp/slipway-escape', content: 'x' }))],
    ['a path upwards', tar(entry({ path: 'a/../../escape', content: 'x' }))],
    [
      'a path through a link of its own',
      tar(entry({ path: 'out', type: '2', link: '..' }), entry({ path: 'out/escape', content: 'x' })),
    ],
    [
      'a link in place of a folder',
      tar(
        entry({ path: 'd/', type: '5' }),
        entry({ path: 'd', type: '2', link: '/' }),
        entry({ path: 'd/escape', content: 'x' }),
      ),
    ],
    ['a hard link to a file outside', tar(entry({ path: 'passwd', type: '1', link: '/etc/passwd' }))],
    [
      'a hard link through a link',
      tar(
        entry({ path: 'etc', type: '2', link: '/etc' }),
        entry({ path: 'p', type: '1', link: 'etc/passwd' }),
      ),
    ],
    [
      'a hard link to a link',
      tar(entry({ path: 'l', type: '2', link: '/etc/passwd' }), entry({ path: 'p', type: '1', link: 'l' })),
    ],
    ['a device', tar(entry({ path: 'zero', type: '3' }))],
    ['a truncated archive', tar(entry({ path: 'a', content: 'x'.repeat(5000) })).subarray(0, 2000)],
    ['a damaged header', Buffer.concat([Buffer.from('rubbish'), tar(entry({ path: 'a' })).subarray(7)])],
    [
      'damaged compression',
      Buffer.concat([gzipSync(tar(entry({ path: 'a' }))).subarray(0, 30), Buffer.alloc(20)]),
    ],
    ['something else', Buffer.from('%PDF-1.7')],
    ['nothing', Buffer.alloc(0)],
  ];
  test.each(attacks)('%s', async (_name, bytes) => {
    const archive = join(folder, 'context');
    writeFileSync(archive, bytes);
    await expect(unpack(archive, target)).rejects.toThrow(ArchiveError);
    expect(() => lstatSync(join(folder, 'escape'))).toThrow();
    expect(() => lstatSync('/tmp/slipway-escape')).toThrow();
  });

  test('a zip whose names lead outside, or whose entries are longer than they say', async () => {
    const archive = join(folder, 'context.zip');
    execFileSync('python3', [
      '-c',
      'import sys,zipfile;zipfile.ZipFile(sys.argv[1],"w").writestr("../escape","x")',
      archive,
    ]);
    await expect(unpack(archive, target)).rejects.toThrow('outside');
    const bomb = join(folder, 'bomb.zip');
    execFileSync('python3', [
      '-c',
      'import sys,zipfile;zipfile.ZipFile(sys.argv[1],"w",zipfile.ZIP_DEFLATED).writestr("a","x"*100000)',
      bomb,
    ]);
    const bytes = readFileSync(bomb);
    const directory = bytes.indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
    bytes.writeUInt32LE(10, directory + 24);
    writeFileSync(bomb, bytes);
    await expect(unpack(bomb, target)).rejects.toThrow('longer than declared');
  });
});

const zipScript = `
import os, stat, sys, zipfile
root, out = sys.argv[1:]
with zipfile.ZipFile(out, 'w') as z:
    for folder, folders, files in os.walk(root):
        for name in files + folders:
            path = os.path.join(folder, name)
            inner = os.path.relpath(path, root)
            mode = os.lstat(path).st_mode
            if stat.S_ISDIR(mode):
                inner += '/'
            info = zipfile.ZipInfo(inner)
            info.create_system = 3
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_STORED if name == 'hello.txt' else zipfile.ZIP_DEFLATED
            data = os.readlink(path) if stat.S_ISLNK(mode) else b'' if stat.S_ISDIR(mode) else open(path, 'rb').read()
            z.writestr(info, data)
`;
