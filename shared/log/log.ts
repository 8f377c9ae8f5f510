/**
 * Logs, live and kept, by one mechanism. Whichever follower finds that nobody has looked for a while takes a short
 * lease, reads the sources on from where the index stands and keeps the lines; all others look at the index, which has
 * the newest lines with it. So a hundred followers cost one reader of CloudWatch, a reconnect reads on at its line
 * number, and a log is the same whether it is read while it grows or a year later.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogLine } from '../model/common.ts';
import { chunkKey } from './chunks.ts';
import { decodeCursor, encodeCursor, ownerOf, readUpAt } from './cursor.ts';
import { lastKept, readKept } from './kept.ts';
import { createPatience, type Patience, type WaitingPlaces } from './patience.ts';
import {
  intervalsMs,
  type JobKey,
  type LogDependencies,
  type LogJob,
  type Reader,
  refresh,
  release,
} from './refresh.ts';
import { readTail, type Tail } from './tail.ts';

/** A waiting follower looks at the index again after a time between these, so that not all look at once. */
export const pausesMs = [350, 450] as const;
/** Whoever has to have all that there is asks this often whether the reader before has finished. */
const drainPauseMs = 150;

export interface FollowRequest {
  cursor?: string | undefined;
  limit: number;
  /** Seconds to wait for something new. */
  wait: number;
  remainingMs(): number;
  /** How many requests of the member may wait at once; where there are none, any number. */
  places?: WaitingPlaces | undefined;
}

export interface LogPage {
  items: LogLine[];
  /** Absent once `complete`. */
  nextCursor?: string;
  complete: boolean;
}

export interface AttemptRange {
  attempt?: number | undefined;
  after: number;
  limit: number;
}

export interface AttemptPage {
  items: LogLine[];
  attempt: number;
  /** How many lines of the attempt there are up to where the page ends. */
  next: number;
  /** Whether the attempt is over, and its last line is not behind the page. */
  complete: boolean;
}

export interface Logs {
  /**
   * Lines from the cursor on. `job` is asked where it is needed, and again while waiting, since sources and state
   * change; it throws where there is no such job. `named` is the one that was asked for.
   */
  follow(request: FollowRequest, named: JobKey, job: () => Promise<LogJob>): Promise<LogPage>;
  /** At most `limit` lines of one attempt, the last where none is named, after its first `after`. */
  ofAttempt(job: LogJob, range: AttemptRange): Promise<AttemptPage>;
  /** Keeps whatever the sources have by now. Answers whether the log is complete. */
  drain(job: LogJob): Promise<boolean>;
  /** The last `count` kept lines. */
  last(organisation: string, jobId: string, count: number): Promise<LogLine[]>;
  /** Deletes what is kept. */
  remove(organisation: string, jobId: string): Promise<void>;
}

export function createLogs(dependencies: LogDependencies): Logs {
  const { table, artifacts, now } = dependencies;

  async function readOn(
    patience: Patience,
    { cursor, limit, wait }: FollowRequest,
    named: JobKey,
    job: () => Promise<LogJob>,
  ): Promise<LogPage> {
    const reader = newReader();
    // A cursor of this very log says that there is one; otherwise whose log it is has to be looked up.
    let known = ownerOf(cursor) === named.id ? undefined : await job();
    const log: JobKey = known ?? named;
    const isLenders = known?.lender !== undefined && ownerOf(cursor) === known.lender;
    const from = isLenders ? 0 : decodeCursor(cursor, log.id);
    // Who follows goes on at once with whatever there is; anybody else wants all there is by now, up to a page.
    const beyond = cursor !== undefined && wait > 0 ? from : from + limit - 1;
    const page = (items: LogLine[], next: number, { lines }: Tail) => {
      // A cursor stays what it is until there is something to read.
      const isSame = items.length === 0 && ownerOf(cursor) === log.id;
      const at = next < lines ? undefined : now().getTime();
      const nextCursor = isSame && cursor !== undefined ? cursor : encodeCursor(log.id, next, at);
      return { items, complete: false, nextCursor };
    };
    // Who comes back at once has read all there was: it is as if they had gone on waiting.
    const sinceMs = now().getTime() - (readUpAt(cursor) ?? Number.NEGATIVE_INFINITY);
    if (wait > 0 && sinceMs >= 0 && sinceMs < pausesMs[0]) await patience.pace(anyOf(pausesMs) - sinceMs);
    for (;;) {
      const seen = await refresh(dependencies, reader, log, () => known ?? job(), { beyond });
      known = undefined;
      const isLate = patience.isOver();
      if (seen.lines > from || seen.complete || isLate) {
        await release(dependencies, reader, log, seen);
        const range = { from, to: Infinity, limit };
        const { lines, next, tail } = await readKept(dependencies, log, seen, range);
        if (!tail.complete || next < tail.lines) return page(lines, next, tail);
        const last = await job();
        if (last.id === log.id && !last.borrowed) return { items: lines, complete: true };
        if (last.id !== log.id || lines.length > 0 || isLate) return page(lines, next, tail);
      }
      await patience.pause(seen.holder === reader.holder ? reader.intervalMs : anyOf(pausesMs));
    }
  }

  return {
    async follow(request, named, job) {
      const patience = createPatience(request);
      try {
        return await readOn(patience, request, named, job);
      } finally {
        await patience.end();
      }
    },
    async ofAttempt(job, { attempt = job.sources.at(-1)?.attempt ?? 1, after, limit }) {
      await drain(dependencies, job);
      const tail = await readTail(table, job.organisation, job.id);
      const index = job.sources.findIndex((source) => source.attempt === attempt);
      const start = tail.starts[index];
      if (start === undefined) {
        // Its container has not started yet, or never will.
        const isOver =
          index < 0 && (job.ended || job.sources.some((source) => (source.attempt ?? 0) > attempt));
        return { items: [], attempt, next: after, complete: isOver };
      }
      const from = start + after;
      const end = tail.starts[index + 1];
      const range = { from, to: Math.min(end ?? tail.lines, from + limit), limit };
      const { lines, next } = await readKept(dependencies, job, tail, range);
      const complete = end === undefined ? tail.complete && next >= tail.lines : next >= end;
      return { items: lines, attempt, next: next - start, complete };
    },
    drain: (job) => drain(dependencies, job),
    last: (organisation, id, count) => lastKept(dependencies, { organisation, id }, count),
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

const anyOf = ([least, most]: readonly [number, number]) => least + Math.random() * (most - least);

async function drain(dependencies: LogDependencies, job: LogJob): Promise<boolean> {
  const reader = newReader();
  // A follower may hold the lease; it gives it back with its next news, or loses it after some seconds.
  for (let attempt = 0; ; attempt++) {
    const tail = await refresh(dependencies, reader, job, () => job, 'exhaust');
    const others = tail.leaseUntil > dependencies.now().getTime() && tail.holder !== reader.holder;
    if (tail.complete || !others || attempt === 40) {
      await release(dependencies, reader, job, tail);
      return tail.complete;
    }
    await sleep(drainPauseMs);
  }
}
