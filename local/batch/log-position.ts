/** How far a container's log has been taken over. */
import type { ContainerLogLine } from '../engine/log-frames.ts';

export interface LogPosition {
  /** From when on the log must be read again; undefined for all of it. Nanoseconds since 1970. */
  since(): bigint | undefined;
  /** The time of the newest line that was taken over; 0 before the first one. */
  newest(): bigint;
  /** Notes when the oldest line began that has no line feed yet, and so was not taken over. */
  leave(unfinishedSince: bigint | undefined): void;
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
 * The position is kept for each stream. An unfinished line may have begun long before the newest line of the other one. Lines of the very same time are told apart by their text: the engine, followed
 * while it writes an entry, now and then gives that entry twice.
 */
export function createLogPosition(recorded?: string): LogPosition {
  const latest = new Map<string, { time: bigint; part: number; texts: Set<string> | 'all' }>();
  const { unfinished: left, ...times } = JSON.parse(recorded ?? '{}') as Record<string, string>;
  for (const [stream, place] of Object.entries(times)) {
    const [time = '', part = '0'] = place.split('+');
    latest.set(stream, { time: BigInt(time), part: Number(part), texts: 'all' });
  }
  let unfinished = left === undefined ? undefined : BigInt(left);

  const newest = () => [...latest.values()].reduce((max, { time }) => (time > max ? time : max), 0n);

  return {
    newest,
    since() {
      if (latest.size === 0) return undefined;
      const since = newest() > overlapNanoseconds ? newest() - overlapNanoseconds : 0n;
      return unfinished !== undefined && unfinished < since ? unfinished : since;
    },
    leave(unfinishedSince) {
      unfinished = unfinishedSince;
    },
    advance({ stream, time, text, part = 0 }) {
      const last = latest.get(stream);
      if (last && time < last.time) return false;
      if (!last || time > last.time) {
        latest.set(stream, { time, part, texts: new Set([text]) });
        return true;
      }
      // Parts of one line follow each other, and may be alike.
      if (part > 0) {
        const isNext = part > last.part;
        last.part = Math.max(part, last.part);
        return isNext;
      }
      if (last.texts === 'all' || last.texts.has(text)) return false;
      last.texts.add(text);
      return true;
    },
    toString: () =>
      JSON.stringify({
        ...Object.fromEntries(
          [...latest].map(([stream, { time, part }]) => [
            stream,
            part > 0 ? `${time}+${part}` : String(time),
          ]),
        ),
        ...(unfinished === undefined ? {} : { unfinished: String(unfinished) }),
      }),
  };
}
