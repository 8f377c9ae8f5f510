/** B3, E24: log and timeline of a build, while it runs and later. */
import { logJobOf } from '../../shared/build/log.ts';
import { isOver } from '../../shared/build/record.ts';
import { type EventPage, followEvents } from '../../shared/log/follow-events.ts';
import type { FollowRequest, LogPage, Logs } from '../../shared/log/log.ts';
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

/** Entries from the cursor on. Complete once nothing of the build is left to do, its mail included. Throws 404. */
export const followBuildEvents = (
  { table }: Pick<FollowDependencies, 'table'>,
  organisation: string,
  id: string,
  request: FollowRequest,
): Promise<EventPage> =>
  followEvents(table, { organisation, id }, request, async () => {
    const { eventCount, openKey } = await requireBuild(table, organisation, id);
    return { eventCount, isClosed: !openKey };
  });
