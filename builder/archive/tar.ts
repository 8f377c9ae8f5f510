/** Unpacks tar archives: ustar, pax and GNU's long names. Devices, pipes and sparse files are refused. */
import { Readable } from 'node:stream';
import { ArchiveError } from './archive-error.ts';
import { textOf } from './names.ts';
import type { Entry, Place } from './place.ts';

const block = 512;
const longestExtension = 1024 * 1024;
const paddingOf = (size: number) => (block - (size % block)) % block;

export async function unpackTar(source: AsyncIterable<Buffer>, place: Place): Promise<void> {
  const reader = new Reader(source);
  let next: Overrides = {};
  for (;;) {
    const header = await reader.exactly(block, true);
    if (!header || header.every((byte) => byte === 0)) return reader.drain();
    const found = parseHeader(header);
    if (extension.has(found.type)) {
      if (found.size > longestExtension) throw new ArchiveError('it has a name longer than 1 MiB');
      const data = (await reader.exactly(found.size)) ?? Buffer.alloc(0);
      await reader.exactly(paddingOf(found.size));
      next = { ...next, ...readExtension(found.type, data) };
      continue;
    }
    const entry: Entry = {
      path: next.path ?? found.path,
      mode: found.mode,
      modifiedAt: next.modifiedAt ?? found.modifiedAt,
    };
    const target = next.link ?? found.link;
    const size = next.size ?? found.size;
    next = {};
    // Only files have content, whatever size the others say.
    if (found.type === '5' || (found.type === '0' && entry.path.endsWith('/'))) await place.directory(entry);
    else if (found.type === '0') {
      await place.file(entry, size, () => Readable.from(reader.some(size)));
      await reader.exactly(paddingOf(size));
    } else if (found.type === '1') await place.hardLink(entry, target);
    else if (found.type === '2') await place.symbolicLink(entry, target);
    else throw new ArchiveError(`"${entry.path}" is neither a file, a folder nor a link`);
  }
}

interface Overrides {
  path?: string;
  link?: string;
  size?: number;
  modifiedAt?: Date | undefined;
}

function sizeOf(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new ArchiveError('a pax header has an invalid size');
  return Number(value);
}

/** A time that no file can have is left out. */
const timeOf = (seconds: number) =>
  seconds >= 0 && seconds < 2 ** 33 ? new Date(seconds * 1000) : undefined;

/** pax for one entry, pax for all, GNU long name, GNU long link. */
const extension = new Set(['x', 'g', 'L', 'K']);

function readExtension(type: string, data: Buffer): Overrides {
  if (type === 'L') return { path: text(data) };
  if (type === 'K') return { link: text(data) };
  // A pax header for all entries says nothing that concerns their names.
  if (type === 'g') return {};
  const overrides: Overrides = {};
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(0x20, at);
    const length = Number(data.subarray(at, space).toString());
    const end = at + length;
    if (space < 0 || !Number.isInteger(length) || space >= end || data[end - 1] !== 0x0a)
      throw new ArchiveError('a pax header is invalid');
    const record = textOf(data.subarray(space + 1, end - 1));
    const equals = record.indexOf('=');
    const [key, value] = [record.slice(0, equals), record.slice(equals + 1)];
    if (key === 'path') overrides.path = value;
    else if (key === 'linkpath') overrides.link = value;
    else if (key === 'size') overrides.size = sizeOf(value);
    else if (key === 'mtime') overrides.modifiedAt = timeOf(Number(value));
    else if (key.startsWith('GNU.sparse.')) throw new ArchiveError('it contains sparse files');
    at += length;
  }
  return overrides;
}

function parseHeader(header: Buffer) {
  if (!hasItsSum(header)) throw new ArchiveError('it is not a tar archive, or it is corrupt');
  const type = String.fromCharCode(header[156] ?? 0)
    .replace('\0', '0')
    .replace('7', '0');
  const isUstar = header.subarray(257, 262).toString('latin1') === 'ustar';
  const prefix = isUstar && header[262] === 0 ? text(header.subarray(345, 500)) : '';
  const name = text(header.subarray(0, 100));
  return {
    type,
    path: prefix ? `${prefix}/${name}` : name,
    link: text(header.subarray(157, 257)),
    mode: number(header.subarray(100, 108)),
    size: number(header.subarray(124, 136)),
    modifiedAt: timeOf(number(header.subarray(136, 148))),
  };
}

const text = (field: Buffer) => {
  const end = field.indexOf(0);
  return textOf(field.subarray(0, end < 0 ? field.length : end));
};

/** Octal text, or a big-endian number where the first bit is set. */
function number(field: Buffer): number {
  if ((field[0] ?? 0) & 0x80)
    return Number(BigInt(`0x${field.subarray(-8).toString('hex')}`) & ((1n << 56n) - 1n));
  const octal = octalIn(field);
  if (octal === undefined) throw new ArchiveError('it is not a tar archive, or it is corrupt');
  return octal === '' ? 0 : Number.parseInt(octal, 8);
}

/** Whether an archive that begins so may be one: the oldest form says so nowhere, and an empty one begins with its end. */
export function beginsTar(first: Buffer): boolean {
  const isUstar = first.subarray(257, 262).toString('latin1') === 'ustar';
  return isUstar || (first.length === block && (first.every((byte) => byte === 0) || hasItsSum(first)));
}

function hasItsSum(header: Buffer): boolean {
  const sum = header.reduce((all, byte, i) => all + (i >= 148 && i < 156 ? 0x20 : byte), 0);
  return Number.parseInt(octalIn(header.subarray(148, 156)) ?? '', 8) === sum;
}

/** Digits, or none in a field that is empty; nothing for what is no number. Some programs fill it with spaces from the left. */
const octalIn = (field: Buffer): string | undefined =>
  /^ *([0-7]*)(?:[\0 ]|$)/.exec(field.toString('latin1'))?.[1];

const zeros = Buffer.alloc(65_536);
/** Compared as a whole: an archive may end with as many zeros as its budget has. */
function isZero(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += zeros.length) {
    const part = bytes.subarray(at, at + zeros.length);
    if (!part.equals(zeros.subarray(0, part.length))) return false;
  }
  return true;
}

/** Reads a stream of any chunks in pieces of any size. */
class Reader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);
  constructor(source: AsyncIterable<Buffer>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** Exactly `size` bytes; nothing at the very end where that is allowed. */
  async exactly(size: number, mayEnd = false): Promise<Buffer | undefined> {
    const parts: Buffer[] = [];
    for await (const part of this.some(size, mayEnd)) parts.push(part);
    if (size > 0 && parts.length === 0) return undefined;
    return parts.length === 1 ? parts[0] : Buffer.concat(parts);
  }

  async *some(size: number, mayEnd = false): AsyncGenerator<Buffer> {
    for (let left = size; left > 0; ) {
      if (this.#rest.length === 0) {
        const more = await this.#more();
        if (!more && mayEnd && left === size) return;
        if (!more) throw new ArchiveError('it ends in the middle');
        this.#rest = more;
        continue;
      }
      const part = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(part.length);
      left -= part.length;
      yield part;
    }
  }

  /** To the end, so that a broken compression is noticed, and files that nobody would see. */
  async drain(): Promise<void> {
    for (let rest: Buffer | undefined = this.#rest; rest; rest = await this.#more())
      if (!isZero(rest)) throw new ArchiveError('it has data after its end');
  }

  async #more(): Promise<Buffer | undefined> {
    const { value, done } = await this.#chunks.next();
    return done ? undefined : value;
  }
}
