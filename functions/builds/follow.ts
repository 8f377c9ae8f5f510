/** B3, E24: log and timeline of a build, while it runs and later. */
import { setTimeout as sleep } from 'node:timers/promises';
import { logJobOf } from '../../shared/build/log.ts';
import { type BuildRecord, isOver } from '../../shared/build/record.ts';
import { decodeCursor, encodeCursor } from '../../shared/log/cursor.ts';
import type { FollowRequest, LogPage, Logs } from '../../shared/log/log.ts';
import type { TimelineEvent } from '../../shared/model/common.ts';
import { readEvents } from '../../shared/store/advance.ts';
import type { Table } from '../../shared/store/table.ts';
import { requireBuild } from './read.ts';

export interface FollowDependencies {
  table: Table;
  logs: Logs;
  logGroup: string;
}

/** Throws 404. */
export async function followBuildLog(
  { table, logs, logGroup }: FollowDependencies,
  organisation: string,
  id: string,
  request: FollowRequest,
): Promise<LogPage> {
  return logs.follow(request, { organisation, id }, async () => {
    const record = await requireBuild(table, organisation, id);
    if (!record.attachedTo)
      return {
        ...logJobOf(record, organisation, logGroup),
        ...(record.detachedFrom === undefined ? {} : { lender: record.detachedFrom }),
      };
    // What was built elsewhere is read there.
    const built = await requireBuild(table, organisation, record.attachedTo);
    return { ...logJobOf(built, organisation, logGroup), borrowed: !isOver(record) };
  });
}

const pollMs = 250;
const marginMs = 2000;

/** Entries from the cursor on. Complete once nothing of the build is left to do, its mail included. Throws 404. */
export async function followBuildEvents(
  { table }: Pick<FollowDependencies, 'table'>,
  organisation: string,
  id: string,
  { cursor, limit, wait, remainingMs }: FollowRequest,
): Promise<{ items: TimelineEvent[]; nextCursor?: string; complete: boolean }> {
  const from = decodeCursor(cursor, id);
  const until = performance.now() + Math.min(wait * 1000, remainingMs() - marginMs);
  let record: BuildRecord;
  for (;;) {
    record = await requireBuild(table, organisation, id);
    if (record.eventCount > from || !record.openKey || performance.now() >= until) break;
    await sleep(Math.max(1, Math.min(pollMs, until - performance.now())));
  }
  const items = await readEvents(table, organisation, id, from, limit);
  const next = from + items.length;
  const complete = !record.openKey && next >= record.eventCount;
  return { items, complete, ...(complete ? {} : { nextCursor: encodeCursor(id, next) }) };
}
