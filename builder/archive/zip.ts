/** Unpacks zip archives: stored and deflated entries, zip64, Unix modes and symbolic links. */
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import { ArchiveError, type Entry, type Place } from './place.ts';

interface ZipEntry extends Entry {
  method: number;
  crc: number;
  compressedBytes: number;
  sizeBytes: number;
  headerAt: number;
  isSymbolicLink: boolean;
}

const longestTarget = 4096;

export async function unpackZip(path: string, place: Place): Promise<void> {
  const file = await open(path);
  try {
    for (const entry of await readDirectory(file)) await unpackEntry(file, path, entry, place);
  } finally {
    await file.close();
  }
}

async function unpackEntry(file: FileHandle, path: string, entry: ZipEntry, place: Place): Promise<void> {
  if (entry.path.endsWith('/')) return place.directory({ ...entry, mode: entry.mode || 0o755 });
  const local = await bytesAt(file, entry.headerAt, 30);
  if (local.readUInt32LE(0) !== 0x04034b50) throw new ArchiveError('it is broken');
  const start = entry.headerAt + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
  const raw =
    entry.compressedBytes === 0
      ? Readable.from([])
      : createReadStream(path, { start, end: start + entry.compressedBytes - 1 });
  const content = checked(entry.method === 0 ? raw : raw.pipe(createInflateRaw()), entry);
  if (!entry.isSymbolicLink)
    return place.file({ ...entry, mode: entry.mode || 0o644 }, entry.sizeBytes, content);
  if (entry.sizeBytes > longestTarget) throw new ArchiveError(`"${entry.path}" is a link that is too long`);
  const parts: Buffer[] = [];
  for await (const part of content) parts.push(part as Buffer);
  return place.symbolicLink(entry, Buffer.concat(parts).toString());
}

/** Fails where an entry is longer than it says (a bomb) or has other bytes. */
function checked(content: Readable, { path, sizeBytes, crc }: ZipEntry): Readable {
  let bytes = 0;
  let sum = 0;
  const check = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      sum = crc32(chunk, sum);
      done(bytes > sizeBytes ? new ArchiveError(`"${path}" is longer than it says`) : null, chunk);
    },
    flush(done) {
      done(bytes !== sizeBytes || sum !== crc ? new ArchiveError(`"${path}" is damaged`) : null);
    },
  });
  content.on('error', () => check.destroy(new ArchiveError(`"${path}" is damaged`)));
  return content.pipe(check);
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  if (bytesRead < length) throw new ArchiveError('it ends in the middle');
  return buffer;
}

async function readDirectory(file: FileHandle): Promise<ZipEntry[]> {
  const { size } = await file.stat();
  const tailLength = Math.min(size, 22 + 65_535);
  const tail = await bytesAt(file, size - tailLength, tailLength);
  const end = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  if (end < 0 || end + 22 > tail.length) throw new ArchiveError('it is not a whole zip archive');
  let count = tail.readUInt16LE(end + 10);
  let length = tail.readUInt32LE(end + 12);
  let start = tail.readUInt32LE(end + 16);
  if (start === 0xffffffff || count === 0xffff || length === 0xffffffff) {
    const locator = end - 20;
    if (locator < 0 || tail.readUInt32LE(locator) !== 0x07064b50) throw new ArchiveError('it is broken');
    const end64 = await bytesAt(file, Number(tail.readBigUInt64LE(locator + 8)), 56);
    count = Number(end64.readBigUInt64LE(32));
    length = Number(end64.readBigUInt64LE(40));
    start = Number(end64.readBigUInt64LE(48));
  }
  if (length > 256 * 1024 * 1024) throw new ArchiveError('its table of contents is too long');
  const directory = await bytesAt(file, start, length);
  const entries: ZipEntry[] = [];
  for (let at = 0, i = 0; i < count; i++) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== 0x02014b50)
      throw new ArchiveError('it is broken');
    const lengths = [28, 30, 32].map((offset) => directory.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
    ];
    entries.push(readEntry(directory, at, lengths));
    at += 46 + lengths[0] + lengths[1] + lengths[2];
  }
  return entries;
}

function readEntry(
  directory: Buffer,
  at: number,
  [nameLength, extraLength]: [number, number, number],
): ZipEntry {
  const flags = directory.readUInt16LE(at + 8);
  const method = directory.readUInt16LE(at + 10);
  const path = directory
    .subarray(at + 46, at + 46 + nameLength)
    .toString()
    .replaceAll('\\', '/');
  if (flags & 1) throw new ArchiveError(`"${path}" is encrypted`);
  if (method !== 0 && method !== 8)
    throw new ArchiveError(`"${path}" is compressed in a way that is not supported`);
  const unix = directory[at + 5] === 3 ? directory.readUInt32LE(at + 38) >>> 16 : 0;
  const extra = directory.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength);
  const [sizeBytes, compressedBytes, headerAt] = zip64(extra, [
    directory.readUInt32LE(at + 24),
    directory.readUInt32LE(at + 20),
    directory.readUInt32LE(at + 42),
  ]);
  return {
    path,
    mode: unix & 0o7777,
    isSymbolicLink: (unix & 0o170000) === 0o120000,
    method,
    crc: directory.readUInt32LE(at + 16),
    sizeBytes,
    compressedBytes,
    headerAt,
  };
}

/** Fields that are all ones stand in the zip64 extra field, in this order. */
function zip64(extra: Buffer, fields: [number, number, number]): [number, number, number] {
  for (let at = 0; at + 4 <= extra.length; ) {
    const length = extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === 1) {
      let from = at + 4;
      return fields.map((field) => {
        if (field !== 0xffffffff || from + 8 > extra.length) return field;
        from += 8;
        return Number(extra.readBigUInt64LE(from - 8));
      }) as [number, number, number];
    }
    at += 4 + length;
  }
  return fields;
}
