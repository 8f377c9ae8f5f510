import { setTimeout as sleep } from 'node:timers/promises';
import { isOver } from '../../shared/experiment/record.ts';
import { decodeCursor, encodeCursor } from '../../shared/log/cursor.ts';
import type { FollowRequest } from '../../shared/log/log.ts';
import type { TimelineEvent } from '../../shared/model/common.ts';
import { readEvents } from '../../shared/store/advance.ts';
import type { Table } from '../../shared/store/table.ts';
import { getExperiment } from './read.ts';

const pollMs = 250;
/** Answers go out this long before the function's own time is over. */
const marginMs = 2000;

/** Timeline entries from the cursor on, as soon as there is one. */
export async function followTimeline(
  table: Table,
  organisation: string,
  id: string,
  { cursor, limit, wait, remainingMs }: FollowRequest,
): Promise<{ items: TimelineEvent[]; nextCursor?: string; complete: boolean }> {
  const from = decodeCursor(cursor, id);
  const until = performance.now() + Math.min(wait * 1000, remainingMs() - marginMs);
  for (;;) {
    // The record comes first: when it says that all is over, the entries read after it are all there will be.
    const record = await getExperiment(table, organisation, id);
    const items = record.eventCount > from ? await readEvents(table, organisation, id, from, limit) : [];
    const next = from + items.length;
    const complete = isOver(record) && next >= record.eventCount;
    if (items.length > 0 || complete || performance.now() >= until)
      return { items, complete, ...(complete ? {} : { nextCursor: encodeCursor(id, next) }) };
    await sleep(Math.max(1, Math.min(pollMs, until - performance.now())));
  }
}
