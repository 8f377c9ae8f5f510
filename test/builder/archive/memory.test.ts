/** B1: a context of 1 GiB is unpacked in little memory: what the builder's smallest host has is for the build. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createWriteStream, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { crc32, createGzip } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { entry } from './tar.ts';
import { zip } from './zip.ts';

const mebibyte = 2 ** 20;
const fileBytes = 128 * mebibyte;
const files = 8;
const chunk = randomBytes(mebibyte);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-memory-'));
  mkdirSync(join(folder, 'target'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function* content(): Generator<Buffer> {
  for (let i = 0; i < fileBytes / mebibyte; i++) yield chunk;
}

function* tarOfFiles(): Generator<Buffer> {
  for (let i = 0; i < files; i++) {
    yield entry({ path: `model/${i}`, sizeBytes: fileBytes });
    yield* content();
  }
  yield Buffer.alloc(1024);
}

/** Everything but the contents is as of a small archive, moved to where it lies in a large one. */
function* zipOfFiles(): Generator<Buffer> {
  let crc = 0;
  for (const part of content()) crc = crc32(part, crc);
  const packedBytes = fileBytes;
  const all = Array.from({ length: files }, (_, i) => ({
    path: `model-${i}`,
    crc,
    sizeBytes: fileBytes,
    packedBytes,
  }));
  let at = 0;
  const placed = all.map((file) => {
    const local = zip([file]).subarray(0, 30 + file.path.length);
    const headerAt = at;
    at += local.length + fileBytes;
    return { ...file, local, headerAt };
  });
  for (const { local } of placed) {
    yield local;
    yield* content();
  }
  const rest = zip(placed);
  rest.writeUInt32LE(at, rest.length - 6);
  yield rest;
}

/** Heap and resident memory of a process that does nothing else. */
const child = `
  const { unpack } = await import(process.argv[1]);
  await unpack(process.argv[2], process.argv[3]);
  console.log(process.resourceUsage().maxRSS * 1024);
`;

async function peakBytes(archive: string): Promise<number> {
  const module = join(import.meta.dirname, '../../../builder/archive/unpack.ts');
  const args = [
    '--max-old-space-size=48',
    '--input-type=module',
    '-e',
    child,
    module,
    archive,
    join(folder, 'target'),
  ];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return Number(stdout);
}

test.each([
  [
    'tar.gz',
    () =>
      pipeline(
        Readable.from(tarOfFiles()),
        createGzip({ level: 0 }),
        createWriteStream(join(folder, 'archive')),
      ),
  ],
  ['zip', () => pipeline(Readable.from(zipOfFiles()), createWriteStream(join(folder, 'archive')))],
])('B1 1 GiB as %s in a heap of 48 MiB', async (_name, write) => {
  await write();
  const archive = join(folder, 'archive');
  expect(statSync(archive).size).toBeGreaterThan(files * fileBytes);
  expect(await peakBytes(archive)).toBeLessThan(256 * mebibyte);
  const unpacked = readdirSync(join(folder, 'target'), { recursive: true, withFileTypes: true }).filter(
    (one) => one.isFile(),
  );
  expect(unpacked).toHaveLength(files);
  for (const one of unpacked) expect(statSync(join(one.parentPath, one.name)).size).toBe(fileBytes);
});
