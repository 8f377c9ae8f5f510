/** A zip archive's table of contents, read piece by piece. */
import type { FileHandle } from 'node:fs/promises';
import { ArchiveError } from './archive-error.ts';
import { textOf } from './names.ts';

export interface ZipEntry {
  path: string;
  /** The name's bytes as they are written. */
  name: Buffer;
  /** Permission bits; 0 where it says nothing of them. */
  mode: number;
  kind: 'file' | 'folder' | 'link';
  method: number;
  crc: number;
  compressedBytes: number;
  sizeBytes: number;
  headerAt: number;
}

const broken = () => new ArchiveError('it is corrupt');
const recordLength = 46;
/** A record with the longest name, extra fields and comment. */
const longestRecord = recordLength + 3 * 65_535;

/** Throws `ArchiveError` for what lies outside of the file. */
export async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { size } = await file.stat();
  if (!(position >= 0 && position + length <= size)) throw new ArchiveError('it ends in the middle');
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  if (bytesRead < length) throw new ArchiveError('it ends in the middle');
  return buffer;
}

export async function* entriesOf(file: FileHandle): AsyncGenerator<ZipEntry> {
  const { count, start, end } = await findDirectory(file);
  let buffer: Buffer = Buffer.alloc(0);
  let at = start;
  for (let i = 0; i < count; i++) {
    if (buffer.length < longestRecord && at + buffer.length < end)
      buffer = await bytesAt(file, at, Math.min(end - at, 4 * longestRecord));
    if (buffer.length < recordLength || buffer.readUInt32LE(0) !== 0x02014b50) throw broken();
    const length = recordLength + buffer.readUInt16LE(28) + buffer.readUInt16LE(30) + buffer.readUInt16LE(32);
    if (length > buffer.length) throw broken();
    yield readEntry(buffer.subarray(0, length));
    buffer = buffer.subarray(length);
    at += length;
  }
  if (at !== end) throw broken();
}

async function findDirectory(file: FileHandle): Promise<{ count: number; start: number; end: number }> {
  const { size } = await file.stat();
  const tailLength = Math.min(size, 22 + 65_535);
  const tail = await bytesAt(file, size - tailLength, tailLength);
  const at = endRecord(tail);
  let count = tail.readUInt16LE(at + 10);
  let length = tail.readUInt32LE(at + 12);
  let start = tail.readUInt32LE(at + 16);
  if (start === 0xffffffff || count === 0xffff || length === 0xffffffff) {
    const locator = at - 20;
    if (locator < 0 || tail.readUInt32LE(locator) !== 0x07064b50) throw broken();
    const end64 = await bytesAt(file, Number(tail.readBigUInt64LE(locator + 8)), 56);
    if (end64.readUInt32LE(0) !== 0x06064b50) throw broken();
    count = Number(end64.readBigUInt64LE(32));
    length = Number(end64.readBigUInt64LE(40));
    start = Number(end64.readBigUInt64LE(48));
  }
  if (start + length > size) throw new ArchiveError('it ends in the middle');
  return { count, start, end: start + length };
}

/** Its end is where the file ends: whatever stands in the comment, and nothing behind it. */
function endRecord(tail: Buffer): number {
  const signature = Buffer.from([0x50, 0x4b, 5, 6]);
  for (let at = tail.lastIndexOf(signature); at >= 0; at = at > 0 ? tail.lastIndexOf(signature, at - 1) : -1)
    if (at + 22 <= tail.length && at + 22 + tail.readUInt16LE(at + 20) === tail.length) return at;
  throw new ArchiveError('it is not a complete zip archive, or it has data after its end');
}

function readEntry(record: Buffer): ZipEntry {
  const name = record.subarray(recordLength, recordLength + record.readUInt16LE(28));
  const path = textOf(name).replaceAll('\\', '/');
  const method = record.readUInt16LE(10);
  if (record.readUInt16LE(8) & 1) throw new ArchiveError(`"${path}" is encrypted`);
  if (method !== 0 && method !== 8)
    throw new ArchiveError(`"${path}" uses an unsupported compression method`);
  const unix = record[5] === 3 ? record.readUInt32LE(38) >>> 16 : 0;
  const extraAt = recordLength + name.length;
  const extra = record.subarray(extraAt, extraAt + record.readUInt16LE(30));
  const [sizeBytes, compressedBytes, headerAt] = zip64(extra, [
    record.readUInt32LE(24),
    record.readUInt32LE(20),
    record.readUInt32LE(42),
  ]);
  return {
    path,
    name,
    mode: unix & 0o7777,
    kind: kindOf(path, unix & 0o170000),
    method,
    crc: record.readUInt32LE(16),
    sizeBytes,
    compressedBytes,
    headerAt,
  };
}

function kindOf(path: string, unixType: number): ZipEntry['kind'] {
  if (path.endsWith('/')) return 'folder';
  if (unixType === 0o120000) return 'link';
  if (unixType === 0 || unixType === 0o100000) return 'file';
  throw new ArchiveError(`"${path}" is neither a file, a folder nor a link`);
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
