import { isOver } from '../../shared/experiment/record.ts';
import { type EventPage, followEvents } from '../../shared/log/follow-events.ts';
import type { FollowRequest } from '../../shared/log/log.ts';
import type { Table } from '../../shared/store/table.ts';
import { getExperiment } from './read.ts';

/** Timeline entries from the cursor on, as soon as there is one. */
export const followTimeline = (
  table: Table,
  organisation: string,
  id: string,
  request: FollowRequest,
): Promise<EventPage> =>
  followEvents(table, { organisation, id }, request, async () => {
    const record = await getExperiment(table, organisation, id);
    return { eventCount: record.eventCount, isClosed: isOver(record) };
  });
