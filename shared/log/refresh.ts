/** Reads the sources of a log on from where the index stands, by whoever holds the lease. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { Artifacts } from '../aws/artifacts.ts';
import type { LogLine } from '../model/common.ts';
import type { Table } from '../store/table.ts';
import { appendLines, chunkKey } from './chunks.ts';
import { linesOf } from './lines.ts';
import { type LogSource, type Reached, readSource } from './source.ts';
import { readTail, type Tail, writeTail } from './tail.ts';

/** A reader that died is replaced after this long. */
const leaseMs = 5000;
/**
 * The sources are read this often while lines come, and less and less often up to the second number when not. Together
 * with the pause of those who look at the index it has to stay well below a second.
 */
export const intervalsMs = [250, 300] as const;
const usualGraceSeconds = 4;
/** Reads that CloudWatch refuses in a row before a reader leaves the rest to the next one, and the pause after each. */
const mostThrottled = 3;
const throttledPauseMs = 250;

/** Whose log it is. */
export interface JobKey {
  organisation: string;
  id: string;
}

export interface LogJob extends JobKey {
  /** In order; a later one is an attempt after the earlier ended. */
  sources: LogSource[];
  /** Whether no further source will come. */
  ended: boolean;
  /** It is another job's log: should that one be stopped, a log of its own follows. */
  borrowed?: boolean;
  /** Whose log was borrowed before this one began: a cursor of that means the beginning of this. */
  lender?: string;
}

export interface LogDependencies {
  table: Table;
  artifacts: Artifacts;
  client: CloudWatchLogsClient;
  now: () => Date;
  /** How long after its end a source without an end marker may still deliver lines; 4 where left out. */
  graceSeconds?: number;
}

/** One reader's memory between two looks. */
export interface Reader {
  /** Random, so that no two readers are taken for each other. */
  holder: string;
  checkedAt: number;
  intervalMs: number;
}

/** Whether to read until nothing is left, or only for something beyond a line, and not more often than useful. */
export type Effort = { beyond: number } | 'exhaust';

/**
 * Answers the index as it is afterwards; somebody else's news where they hold the lease. `job` is asked only where the
 * sources are going to be read.
 */
export async function refresh(
  dependencies: LogDependencies,
  reader: Reader,
  { organisation, id }: JobKey,
  latest: () => LogJob | Promise<LogJob>,
  effort: Effort,
): Promise<Tail> {
  const { table, now } = dependencies;
  const tail = await readTail(table, organisation, id);
  const time = now().getTime();
  const mine = tail.holder === reader.holder;
  if (tail.complete || (!mine && tail.leaseUntil > time)) return tail;
  const looks = effort !== 'exhaust';
  // Whoever has an answer already reads nothing: others wait for the lease.
  if (looks && tail.lines > effort.beyond) return tail;
  // Clocks differ: a look in the future says nothing.
  const sinceMs = time - Math.max(tail.checkedAt, reader.checkedAt);
  const isFresh = looks && sinceMs >= 0 && sinceMs < reader.intervalMs;
  if (isFresh && tail.starts.length === 1) return tail;
  const job = await latest();
  // It has begun a log of its own.
  if (job.id !== id) return tail;
  const isRead = job.sources.length < tail.starts.length;
  if (isRead ? !job.ended : isFresh) return tail;
  reader.checkedAt = time;
  if (mine && tail.leaseUntil - time > leaseMs / 2) return readOn(dependencies, reader, job, tail, effort);
  const leased = await writeTail(table, organisation, id, tail, {
    ...tail,
    holder: reader.holder,
    leaseUntil: time + leaseMs,
    checkedAt: time,
  });
  return leased.written ? readOn(dependencies, reader, job, leased.tail, effort) : leased.tail;
}

/** Gives the lease back, if this reader has it by `tail`: the next one need not wait for its end. */
export async function release(
  { table }: LogDependencies,
  reader: Reader,
  { organisation, id }: JobKey,
  tail: Tail,
): Promise<void> {
  if (tail.holder !== reader.holder) return;
  await writeTail(table, organisation, id, tail, {
    ...tail,
    holder: '',
    leaseUntil: 0,
    checkedAt: reader.checkedAt,
  });
}

async function readOn(
  dependencies: LogDependencies,
  reader: Reader,
  job: LogJob,
  leased: Tail,
  effort: Effort,
): Promise<Tail> {
  const { client, now, graceSeconds = usualGraceSeconds } = dependencies;
  let tail = leased;
  let { token, reached } = tail;
  let throttled = 0;
  for (;;) {
    const source = job.sources[tail.starts.length - 1];
    if (!source) {
      if (!job.ended) return tail;
      return (await keep(dependencies, reader, job, tail, { lines: [], token, reached, over: true })).tail;
    }
    const page = await readSource(client, source, token, reached);
    throttled = page.throttled ? throttled + 1 : 0;
    const { lines, ended } = linesOf(page.events, source);
    const silent = page.atEnd && page.events.length === 0;
    const over = ended || (silent && past(source.endedAt, now().getTime() - graceSeconds * 1000));
    ({ token, reached } = page);
    if (lines.length > 0 || over) {
      const kept = await keep(dependencies, reader, job, tail, { lines, token, reached, over });
      if (!kept.written) return kept.tail;
      tail = kept.tail;
      ({ token, reached } = tail);
      reader.intervalMs = intervalsMs[0];
      if (tail.complete || (effort !== 'exhaust' && lines.length > 0)) return tail;
    } else if (page.atEnd || throttled === mostThrottled) {
      reader.intervalMs = Math.min(intervalsMs[1], reader.intervalMs * 1.2);
      // Where an empty page has led on, the next reader goes on from there.
      if (token === tail.token) return tail;
      return (await keep(dependencies, reader, job, tail, { lines: [], token, reached, over: false })).tail;
    } else if (throttled > 0) await sleep(throttledPauseMs);
  }
}

const past = (time: string | undefined, limit: number) => time !== undefined && Date.parse(time) <= limit;

/** Puts lines first into objects, then into the index: what a crash leaves between the two is nobody's. */
async function keep(
  { table, artifacts }: LogDependencies,
  reader: Reader,
  job: LogJob,
  tail: Tail,
  news: { lines: LogLine[]; token: string | undefined; reached: Reached | undefined; over: boolean },
): Promise<{ tail: Tail; written: boolean }> {
  const store = { artifacts, organisation: job.organisation, jobId: job.id };
  const { replaced, ...kept } = await appendLines(store, tail, tail.version, news.lines);
  const sourceCount = Math.min(job.sources.length, tail.starts.length);
  const complete = news.over && job.ended && sourceCount === job.sources.length;
  const { token: _, reached: __, ...before } = tail;
  const outcome = await writeTail(table, job.organisation, job.id, tail, {
    ...before,
    ...kept,
    ...(news.over || news.token === undefined ? {} : { token: news.token }),
    ...(news.over || news.reached === undefined ? {} : { reached: news.reached }),
    starts: news.over && !complete ? [...tail.starts, kept.lines] : tail.starts,
    complete,
    checkedAt: reader.checkedAt,
    // What is new is answered at once, so the lease goes back with it.
    holder: '',
    leaseUntil: 0,
  });
  const dead = outcome.written
    ? replaced
      ? [replaced]
      : []
    : kept.chunks.filter((chunk) => chunk[2] === tail.version);
  for (const chunk of dead) await artifacts.remove(chunkKey(job.organisation, job.id, chunk));
  return outcome;
}
