/** Reading tar archives: what layers are made of. */

/** An entry; `read` is for regular files and must be called, if at all, before the next entry is asked for. */
export interface TarEntry {
  /** Without `./` or `/` in front. */
  name: string;
  isFile: boolean;
  sizeBytes: number;
  read(): Promise<Buffer>;
}

export class TarError extends Error {
  override name = 'TarError';
}

const blockBytes = 512;
/** A name's own length limit; what is longer is no name. */
const longNameLimitBytes = 64 * 1024;

/** The bytes of a stream, so many at a time. */
class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Fewer bytes only at the end. */
  async take(count: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let missing = count;
    while (missing > 0 && (await this.#fill())) {
      const part = this.#rest.subarray(0, missing);
      this.#rest = this.#rest.subarray(part.length);
      parts.push(part);
      missing -= part.length;
    }
    return Buffer.concat(parts);
  }

  async skip(count: number): Promise<void> {
    for (let missing = count; missing > 0 && (await this.#fill()); ) {
      const skipped = Math.min(missing, this.#rest.length);
      this.#rest = this.#rest.subarray(skipped);
      missing -= skipped;
    }
  }

  async #fill(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const { value, done } = await this.#chunks.next();
      if (done) return false;
      this.#rest = value;
    }
    return true;
  }
}

const text = (block: Buffer, start: number, length: number): string => {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
};

/** Octal, or for sizes of 8 GiB and more binary with the first bit set. */
function sizeOf(block: Buffer): number {
  if ((block[124] ?? 0) & 0x80) return Number(block.readBigUInt64BE(128));
  const size = Number.parseInt(text(block, 124, 12).trim() || '0', 8);
  if (Number.isNaN(size)) throw new TarError('A header has no valid size');
  return size;
}

/** `path` of a pax header: records of `<length> <key>=<value>\n`. */
function paxPath(records: Buffer): string | undefined {
  let path: string | undefined;
  for (let at = 0; at < records.length; ) {
    const space = records.indexOf(0x20, at);
    const length = Number.parseInt(records.toString('latin1', at, space), 10);
    if (space < 0 || !(length > 0)) break;
    const [key, ...value] = records.toString('utf8', space + 1, at + length - 1).split('=');
    if (key === 'path') path = value.join('=');
    at += length;
  }
  return path;
}

/** Entries in the archive's order. Throws `TarError` for what is no tar archive. */
export async function* tarEntries(archive: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
  const bytes = new ByteReader(archive);
  let longName: string | undefined;
  for (;;) {
    const header = await bytes.take(blockBytes);
    if (header.length < blockBytes || header.every((byte) => byte === 0)) return;
    const sizeBytes = sizeOf(header);
    const type = text(header, 156, 1) || '0';
    const paddedBytes = Math.ceil(sizeBytes / blockBytes) * blockBytes;
    if (type === 'x' || type === 'L') {
      if (sizeBytes > longNameLimitBytes) throw new TarError('A name is too long');
      const content = (await bytes.take(paddedBytes)).subarray(0, sizeBytes);
      longName = type === 'L' ? text(content, 0, sizeBytes) : (paxPath(content) ?? longName);
      continue;
    }
    const prefix = text(header, 257, 5) === 'ustar' ? text(header, 345, 155) : '';
    const name = longName ?? [prefix, text(header, 0, 100)].filter(Boolean).join('/');
    longName = undefined;
    let unreadBytes = paddedBytes;
    yield {
      name: name.replace(/^(?:\.?\/)+/, '').replace(/\/$/, ''),
      isFile: type === '0' || type === '7',
      sizeBytes,
      async read() {
        const content = await bytes.take(unreadBytes);
        unreadBytes = 0;
        if (content.length < sizeBytes) throw new TarError(`${name} ends too early`);
        return content.subarray(0, sizeBytes);
      },
    };
    await bytes.skip(unreadBytes);
  }
}
