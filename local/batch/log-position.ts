/** How far a container's log has been taken over. */
import type { ContainerLogLine } from '../engine/log-frames.ts';

export interface LogPosition {
  /** From when on the log must be read again; undefined for all of it. Nanoseconds since 1970. */
  since(): bigint | undefined;
  /** True for a line that hasn't come before; it counts as taken over from then on. */
  advance(line: ContainerLogLine): boolean;
  /** For `createLogPosition` after a restart. */
  toString(): string;
}

/**
 * Within one stream times never go back, but the engine may write two streams in an order that differs a little from
 * their times: reading starts again somewhat earlier, and each stream drops what it has had.
 */
const overlapNanoseconds = 10_000_000_000n;

/**
 * The position is kept for each stream. Lines of the very same time are told apart by their text: the engine, followed
 * while it writes an entry, now and then gives that entry twice.
 */
export function createLogPosition(recorded?: string): LogPosition {
  const latest = new Map<string, { time: bigint; texts: Set<string> | 'all' }>();
  for (const [stream, time] of Object.entries(JSON.parse(recorded ?? '{}') as Record<string, string>))
    latest.set(stream, { time: BigInt(time), texts: 'all' });

  return {
    since() {
      if (latest.size === 0) return undefined;
      const newest = [...latest.values()].reduce((max, { time }) => (time > max ? time : max), 0n);
      return newest > overlapNanoseconds ? newest - overlapNanoseconds : 0n;
    },
    advance({ stream, time, text }) {
      const last = latest.get(stream);
      if (last && time < last.time) return false;
      if (!last || time > last.time) {
        latest.set(stream, { time, texts: new Set([text]) });
        return true;
      }
      if (last.texts === 'all' || last.texts.has(text)) return false;
      last.texts.add(text);
      return true;
    },
    toString: () =>
      JSON.stringify(Object.fromEntries([...latest].map(([stream, { time }]) => [stream, String(time)]))),
  };
}
