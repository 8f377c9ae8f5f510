/** Unpacks zip archives: stored and deflated entries, zip64, Unix modes and symbolic links. */
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { pipeline, Readable, Transform } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import { ArchiveError } from './archive-error.ts';
import type { Budget } from './budget.ts';
import { textOf } from './names.ts';
import type { Place } from './place.ts';
import { bytesAt, entriesOf, type ZipEntry } from './zip-directory.ts';

const longestTarget = 4096;
const headerLength = 30;

export async function unpackZip(path: string, place: Place): Promise<void> {
  const file = await open(path);
  try {
    for await (const entry of entriesOf(file)) await unpackEntry(file, path, entry, place);
  } finally {
    await file.close();
  }
}

async function unpackEntry(file: FileHandle, path: string, entry: ZipEntry, place: Place): Promise<void> {
  const start = await contentAt(file, entry);
  if (entry.kind === 'folder') return place.directory({ path: entry.path, mode: entry.mode || 0o755 });
  place.budget.packed(entry.compressedBytes);
  const open = () => contentOf(path, start, entry, place.budget);
  try {
    if (entry.kind === 'file')
      return await place.file({ path: entry.path, mode: entry.mode || 0o644 }, entry.sizeBytes, open);
    if (entry.sizeBytes > longestTarget) throw new ArchiveError(`the link "${entry.path}" is too long`);
    const parts: Buffer[] = [];
    for await (const part of open()) parts.push(part as Buffer);
    return await place.symbolicLink(entry, textOf(Buffer.concat(parts)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('Z_'))
      throw new ArchiveError(`"${entry.path}" is damaged`);
    throw error;
  }
}

/** Where an entry's content begins. What stands there must be the entry that the table of contents speaks of. */
async function contentAt(file: FileHandle, entry: ZipEntry): Promise<number> {
  const header = await bytesAt(file, entry.headerAt, headerLength);
  if (header.readUInt32LE(0) !== 0x04034b50) throw new ArchiveError('it is corrupt');
  const name = await bytesAt(file, entry.headerAt + headerLength, header.readUInt16LE(26));
  if (!name.equals(entry.name) || header.readUInt16LE(8) !== entry.method || header.readUInt16LE(6) & 1)
    throw new ArchiveError(`"${entry.path}" differs between the archive's directory and its data`);
  const start = entry.headerAt + headerLength + name.length + header.readUInt16LE(28);
  if (start + entry.compressedBytes > (await file.stat()).size)
    throw new ArchiveError('it ends in the middle');
  return start;
}

function contentOf(path: string, start: number, entry: ZipEntry, budget: Budget): Readable {
  const raw =
    entry.compressedBytes === 0
      ? Readable.from([])
      : createReadStream(path, { start, end: start + entry.compressedBytes - 1 });
  const streams = entry.method === 0 ? [raw] : [raw, createInflateRaw()];
  const check = checkOf(entry, budget);
  // Whoever reads it hears of every error.
  pipeline([...streams, check], () => undefined);
  return check;
}

/** Fails where an entry is longer than it says (a bomb) or has other bytes. */
function checkOf({ path, sizeBytes, crc }: ZipEntry, budget: Budget): Transform {
  let bytes = 0;
  let sum = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      try {
        budget.decompressed(chunk.length);
      } catch (error) {
        return done(error as Error);
      }
      sum = crc32(chunk, sum);
      done(bytes > sizeBytes ? new ArchiveError(`"${path}" is longer than declared`) : null, chunk);
    },
    flush(done) {
      done(bytes !== sizeBytes || sum !== crc ? new ArchiveError(`"${path}" is damaged`) : null);
    },
  });
}
