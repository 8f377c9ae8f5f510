/**
 * Logs, live and kept, by one mechanism. Whichever follower finds that nobody has looked for a while takes a short
 * lease, reads the sources on from where the index stands and keeps the lines; all others read what is kept. So a
 * hundred followers cost one read of CloudWatch, a reconnect reads on at its line number, and a log is the same
 * whether it is read while it grows or a year later.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogLine } from '../model/common.ts';
import { chunkKey, readLines } from './chunks.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { intervalsMs, type LogDependencies, type LogJob, type Reader, refresh, release } from './refresh.ts';
import { readTail } from './tail.ts';

/** How often a waiting follower looks at the index. */
const pollMs = 150;
/** Answers go out this long before the function's own time is over. */
const marginMs = 2000;

export interface FollowRequest {
  cursor?: string | undefined;
  limit: number;
  /** Seconds to wait for something new. */
  wait: number;
  remainingMs(): number;
}

export interface LogPage {
  items: LogLine[];
  /** Absent once `complete`. */
  nextCursor?: string;
  complete: boolean;
}

export interface Logs {
  /** Lines from the cursor on. `job` is asked again while waiting, since sources and state change. */
  follow(request: FollowRequest, job: () => Promise<LogJob>): Promise<LogPage>;
  /** Lines `from` to `to` (counted from 1, included) of one attempt, the last where none is named. */
  range(job: LogJob, range: { attempt?: number | undefined; from: number; to: number }): Promise<LogLine[]>;
  /** Keeps whatever the sources have by now. Answers whether the log is complete. */
  drain(job: LogJob): Promise<boolean>;
  /** The last `count` kept lines. */
  last(organisation: string, jobId: string, count: number): Promise<LogLine[]>;
  /** Deletes what is kept. */
  remove(organisation: string, jobId: string): Promise<void>;
}

export function createLogs(dependencies: LogDependencies): Logs {
  const { table, artifacts } = dependencies;

  async function between(organisation: string, jobId: string, from: number, to: number, limit: number) {
    for (;;) {
      const tail = await readTail(table, organisation, jobId);
      const range = { from, to: Math.min(to, tail.lines), limit };
      const lines = await readLines({ artifacts, organisation, jobId }, tail.chunks, range);
      // Otherwise an object was replaced between the two reads, and the index names the new one.
      if (lines) return { lines, tail };
    }
  }

  return {
    async follow({ cursor, limit, wait, remainingMs }, job) {
      const reader = newReader();
      let current = await job();
      const from = decodeCursor(cursor, current.id);
      const until = performance.now() + Math.min(wait * 1000, remainingMs() - marginMs);
      for (;;) {
        const seen = await refresh(dependencies, reader, current, 'look');
        if (seen.lines > from || seen.complete) break;
        if (performance.now() >= until) {
          await release(dependencies, reader, current);
          break;
        }
        await sleep(Math.max(1, Math.min(pollMs, until - performance.now())));
        current = await job();
      }
      const { lines, tail } = await between(current.organisation, current.id, from, Infinity, limit);
      const next = from + lines.length;
      const complete = tail.complete && next >= tail.lines;
      return {
        items: lines,
        complete,
        ...(complete ? {} : { nextCursor: encodeCursor(current.id, next) }),
      };
    },
    async range(job, { attempt, from, to }) {
      await drain(dependencies, job);
      const { starts, lines } = await readTail(table, job.organisation, job.id);
      const index =
        attempt === undefined
          ? Math.min(starts.length, Math.max(1, job.sources.length)) - 1
          : job.sources.findIndex((source) => source.attempt === attempt);
      const start = starts[index];
      if (start === undefined) return [];
      const end = Math.min(starts[index + 1] ?? lines, start + to);
      return (await between(job.organisation, job.id, start + from - 1, end, to - from + 1)).lines;
    },
    drain: (job) => drain(dependencies, job),
    async last(organisation, jobId, count) {
      const { lines } = await readTail(table, organisation, jobId);
      return (await between(organisation, jobId, Math.max(0, lines - count), lines, count)).lines;
    },
    async remove(organisation, jobId) {
      const { chunks } = await readTail(table, organisation, jobId);
      for (const chunk of chunks) await artifacts.remove(chunkKey(organisation, jobId, chunk));
      await table.remove(organisation, 'logs', jobId);
    },
  };
}

const newReader = (): Reader => ({
  holder: randomBytes(8).toString('hex'),
  checkedAt: 0,
  intervalMs: intervalsMs[0],
});

async function drain(dependencies: LogDependencies, job: LogJob): Promise<boolean> {
  const reader = newReader();
  // A follower may hold the lease; it gives it back with its next news, or loses it after some seconds.
  for (let attempt = 0; ; attempt++) {
    const tail = await refresh(dependencies, reader, job, 'exhaust');
    const others = tail.leaseUntil > dependencies.now().getTime() && tail.holder !== reader.holder;
    if (tail.complete || !others || attempt === 40) {
      if (tail.holder === reader.holder) await release(dependencies, reader, job);
      return tail.complete;
    }
    await sleep(pollMs);
  }
}
