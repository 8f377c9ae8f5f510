/** The engine's multiplexed log stream, taken apart into lines. */

export interface ContainerLogLine {
  stream: 'stdout' | 'stderr';
  /** The engine's own time of the line, in nanoseconds since 1970. */
  time: bigint;
  text: string;
}

const headerBytes = 8;

/**
 * Makes a function that takes the bytes of `…/logs?timestamps=true` as they come and returns the lines they
 * complete. An entry is one frame: 8 bytes of header (stream, length), then `<time> <text>`. The engine cuts long
 * lines into entries of 16 KiB of which only the last ends in a line feed; they are put together again. Called
 * without bytes at the container's end, it returns what had no line feed by then.
 */
export function logLineReader(): (chunk?: Buffer) => ContainerLogLine[] {
  let pending = Buffer.alloc(0);
  const unfinished = new Map<number, { time: string; parts: Buffer[] }>();
  const lineOf = (stream: number, line: { time: string; parts: Buffer[] }): ContainerLogLine => ({
    stream: stream === 2 ? 'stderr' : 'stdout',
    time: nanoseconds(line.time),
    text: Buffer.concat(line.parts).toString('utf8'),
  });
  return (chunk) => {
    if (!chunk) {
      const last = [...unfinished].map(([stream, line]) => lineOf(stream, line));
      unfinished.clear();
      return last;
    }
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
      const line = unfinished.get(stream) ?? { time: entry.toString('latin1', 0, space), parts: [] };
      const complete = entry.at(-1) === 0x0a;
      line.parts.push(Buffer.from(entry.subarray(space + 1, complete ? -1 : undefined)));
      if (!complete) {
        unfinished.set(stream, line);
        continue;
      }
      unfinished.delete(stream);
      lines.push(lineOf(stream, line));
    }
    pending = pending.subarray(offset);
    return lines;
  };
}

/** The engine's time (RFC 3339, up to nine decimals) as nanoseconds since 1970. */
export function nanoseconds(time: string): bigint {
  const fraction = /\.(\d{1,9})/.exec(time)?.[1] ?? '';
  const seconds = Date.parse(time.replace(/\.\d+/, '')) / 1000;
  return BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
}
