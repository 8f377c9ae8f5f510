/** Reads the lines of a log that are kept, whatever becomes of their objects meanwhile. */
import type { LogLine } from '../model/common.ts';
import { type LineRange, readLines } from './chunks.ts';
import type { JobKey, LogDependencies } from './refresh.ts';
import { readTail, type Tail } from './tail.ts';

type Dependencies = Pick<LogDependencies, 'table' | 'artifacts'>;
type Key = Pick<JobKey, 'organisation' | 'id'>;

/** Lines as the index `seen` has them, or as a newer one does, which is then `tail`. A page may end before the range. */
export async function readKept(
  { table, artifacts }: Dependencies,
  { organisation, id }: Key,
  seen: Tail,
  range: LineRange,
): Promise<{ lines: LogLine[]; next: number; tail: Tail }> {
  const store = { artifacts, organisation, jobId: id };
  for (let tail = seen; ; ) {
    const found = await readLines(store, tail, range);
    if (found) return { ...found, tail };
    const before = tail;
    tail = await readTail(table, organisation, id);
    // Either an object was replaced meanwhile, and the index names the new one; or it has been deleted with age.
    if (tail.version !== before.version) continue;
    const rest = await readLines(store, tail, range, true);
    if (rest) return { ...rest, tail };
  }
}

/** At most the last `count` lines. */
export async function lastKept(dependencies: Dependencies, key: Key, count: number): Promise<LogLine[]> {
  let tail = await readTail(dependencies.table, key.organisation, key.id);
  const to = tail.lines;
  const all: LogLine[] = [];
  for (let from = Math.max(0, to - count); from < to; ) {
    const page = await readKept(dependencies, key, tail, { from, to, limit: to - from });
    if (page.next <= from) break;
    all.push(...page.lines);
    from = page.next;
    tail = page.tail;
  }
  return all;
}
