/** E24: a timeline, followed as logs are. */
import type { TimelineEvent } from '../model/common.ts';
import { readEvents } from '../store/advance.ts';
import type { Table } from '../store/table.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import type { FollowRequest } from './log.ts';
import { createPatience } from './patience.ts';

const pollMs = 250;

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
  { cursor, limit, ...request }: FollowRequest,
  look: () => Promise<{ eventCount: number; isClosed: boolean }>,
): Promise<EventPage> {
  const from = decodeCursor(cursor, id);
  const patience = createPatience(request);
  try {
    for (;;) {
      // First how far the work is: when it says that all is over, the entries read after it are all there will be.
      const { eventCount, isClosed } = await look();
      const items = eventCount > from ? await readEvents(table, organisation, id, from, limit) : [];
      const next = from + items.length;
      const complete = isClosed && next >= eventCount;
      if (items.length > 0 || complete || patience.isOver())
        return { items, complete, nextCursor: complete ? undefined : encodeCursor(id, next) };
      await patience.pause(pollMs);
    }
  } finally {
    await patience.end();
  }
}
