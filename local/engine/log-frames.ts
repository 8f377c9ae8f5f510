/** The engine's multiplexed log stream, taken apart into lines. */

export interface ContainerLogLine {
  stream: 'stdout' | 'stderr';
  /** The engine's own time of the line, in nanoseconds since 1970. */
  time: bigint;
  text: string;
  /** Which part of a line that is too long to be held whole, counted from 1; absent for the first, or the only one. */
  part?: number;
}

/** What a piece of the engine's log stream says. */
export interface ContainerLogBatch {
  /** Lines that their line feed has ended. */
  lines: ContainerLogLine[];
  /** When the oldest line began that has no line feed yet. */
  unfinishedSince: bigint | undefined;
  /** At the end of the stream: what had no line feed by then, which may be less than the container has written. */
  rest: ContainerLogLine[];
}

export interface LogLineReader {
  /** Takes bytes as they come. */
  read(chunk: Buffer): ContainerLogBatch;
  /** At the end of the stream. */
  end(): ContainerLogBatch;
}

interface UnfinishedLine {
  time: bigint;
  /** Not handed out yet. */
  entries: Buffer[];
  bytes: number;
  /** How many parts have been handed out. */
  parts: number;
}

const headerBytes = 8;
/** Whoever writes no line feed at all must not fill the memory. A multiple of what an event of CloudWatch Logs holds. */
const longestLineBytes = 4 * 262_118;

/**
 * Takes the bytes of `…/logs?timestamps=true` apart. An entry is one frame: 8 bytes of header (stream, length), then
 * `<time> <text>`. The engine cuts long lines into entries of 16 KiB of which only the last ends in a line feed; they
 * are put together again.
 */
export function logLineReader(): LogLineReader {
  let pending = Buffer.alloc(0);
  const unfinished = new Map<number, UnfinishedLine>();
  const lineOf = (
    stream: number,
    { time, entries, parts }: UnfinishedLine,
    bytes = Buffer.concat(entries),
  ): ContainerLogLine => ({
    stream: stream === 2 ? 'stderr' : 'stdout',
    time,
    text: bytes.toString('utf8'),
    part: parts || undefined,
  });
  /** Takes what is too long off the front of a line. */
  const cut = (stream: number, line: UnfinishedLine): ContainerLogLine => {
    const bytes = Buffer.concat(line.entries);
    let end = longestLineBytes;
    // Never within a character: its second and later bytes begin with the bits 10.
    while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
    const part = lineOf(stream, line, bytes.subarray(0, end));
    line.entries = [bytes.subarray(end)];
    line.bytes -= end;
    line.parts += 1;
    return part;
  };
  const oldest = (): bigint | undefined => {
    const times = [...unfinished.values()].map(({ time }) => time);
    return times.reduce<bigint | undefined>(
      (min, time) => (min === undefined || time < min ? time : min),
      undefined,
    );
  };
  return {
    read(chunk) {
      pending = pending.length === 0 ? Buffer.from(chunk) : Buffer.concat([pending, chunk]);
      const lines: ContainerLogLine[] = [];
      let offset = 0;
      while (pending.length - offset >= headerBytes) {
        const length = pending.readUInt32BE(offset + 4);
        if (pending.length - offset - headerBytes < length) break;
        const stream = pending[offset] ?? 1;
        const entry = pending.subarray(offset + headerBytes, offset + headerBytes + length);
        offset += headerBytes + length;
        const space = entry.indexOf(0x20);
        const line = unfinished.get(stream) ?? {
          time: nanoseconds(entry.toString('latin1', 0, space)),
          entries: [],
          bytes: 0,
          parts: 0,
        };
        const complete = entry.at(-1) === 0x0a;
        const text = Buffer.from(entry.subarray(space + 1, complete ? -1 : undefined));
        line.entries.push(text);
        line.bytes += text.length;
        while (line.bytes > longestLineBytes) lines.push(cut(stream, line));
        if (complete) {
          unfinished.delete(stream);
          lines.push(lineOf(stream, line));
        } else unfinished.set(stream, line);
      }
      pending = pending.subarray(offset);
      return { lines, unfinishedSince: oldest(), rest: [] };
    },
    end() {
      const rest = [...unfinished].map(([stream, line]) => lineOf(stream, line));
      return { lines: [], unfinishedSince: oldest(), rest };
    },
  };
}

/** The engine's time (RFC 3339, up to nine decimals) as nanoseconds since 1970. */
export function nanoseconds(time: string): bigint {
  const fraction = /\.(\d{1,9})/.exec(time)?.[1] ?? '';
  const seconds = Date.parse(time.replace(/\.\d+/, '')) / 1000;
  return BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
}
