import { logJobOf } from '../../shared/experiment/log-job.ts';
import { invalid } from '../../shared/http/problem.ts';
import { decodeCursor, encodeCursor, ownerOf } from '../../shared/log/cursor.ts';
import type { FollowRequest, LogPage, Logs } from '../../shared/log/log.ts';
import type { Table } from '../../shared/store/table.ts';
import { getExperiment } from './read.ts';

const usualLimit = 200;

export interface LogRequest extends Omit<FollowRequest, 'limit'> {
  limit?: number | undefined;
  attempt?: number | undefined;
  /** Lines, counted from 1. */
  from?: number | undefined;
  to?: number | undefined;
}

export interface LogReading {
  table: Table;
  logs: Logs;
  logGroup: string;
}

/** Of what a cursor within one attempt is; `encodeCursor` adds how many of the attempt's lines were read. */
const ownerIn = (id: string, attempt: number) => `${id}/${attempt}`;

/** The attempt within which the cursor is; nothing where it is one of the whole log, or of another one. */
function attemptOf(cursor: string | undefined, id: string): number | undefined {
  const [owner, attempt] = ownerOf(cursor)?.split('/') ?? [];
  return owner === id && attempt !== undefined ? Number(attempt) : undefined;
}

/** The log from a cursor on, as soon as there is something new; or lines of one attempt, as they are now. */
export async function readLog(
  { table, logs, logGroup }: LogReading,
  organisation: string,
  id: string,
  { attempt: named, from, to, limit = usualLimit, ...request }: LogRequest,
): Promise<LogPage> {
  const { cursor, wait } = request;
  const job = async () => logJobOf(organisation, logGroup, await getExperiment(table, organisation, id));
  const attempt = named ?? attemptOf(cursor, id);
  if (from === undefined && to === undefined && attempt === undefined)
    return logs.follow({ ...request, limit }, { organisation, id }, job);
  if (wait > 0)
    throw invalid({
      pointer: '?wait',
      message: 'must not be combined with a range of lines, which Slipway returns without waiting',
    });
  const after =
    attempt === undefined || cursor === undefined
      ? (from ?? 1) - 1
      : decodeCursor(cursor, ownerIn(id, attempt));
  const page = await logs.ofAttempt(await job(), {
    attempt,
    after,
    limit: to === undefined ? limit : to - after,
  });
  const { items, complete } = page;
  return complete
    ? { items, complete }
    : { items, complete, nextCursor: encodeCursor(ownerIn(id, page.attempt), page.next) };
}
