/** E24: a timeline, followed as logs are. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TimelineEvent } from '../model/common.ts';
import { readEvents } from '../store/advance.ts';
import type { Table } from '../store/table.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import type { FollowRequest } from './log.ts';

const pollMs = 250;
/** Answers go out this long before the function's own time is over. */
const marginMs = 2000;

export interface EventPage {
  items: TimelineEvent[];
  /** Absent once `complete`. */
  nextCursor?: string;
  complete: boolean;
}

/**
 * Entries from the cursor on, as soon as there is one. `look` answers how many there are by now, and whether there will
 * be no more; it throws where there is no such work.
 */
export async function followEvents(
  table: Table,
  { organisation, id }: { organisation: string; id: string },
  { cursor, limit, wait, remainingMs }: FollowRequest,
  look: () => Promise<{ eventCount: number; isClosed: boolean }>,
): Promise<EventPage> {
  const from = decodeCursor(cursor, id);
  const until = performance.now() + Math.min(wait * 1000, remainingMs() - marginMs);
  for (;;) {
    // First how far the work is: when it says that all is over, the entries read after it are all there will be.
    const { eventCount, isClosed } = await look();
    const items = eventCount > from ? await readEvents(table, organisation, id, from, limit) : [];
    const next = from + items.length;
    const complete = isClosed && next >= eventCount;
    if (items.length > 0 || complete || performance.now() >= until)
      return { items, complete, ...(complete ? {} : { nextCursor: encodeCursor(id, next) }) };
    await sleep(Math.max(1, Math.min(pollMs, until - performance.now())));
  }
}
