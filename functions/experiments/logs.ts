import { logJobOf } from '../../shared/experiment/log-job.ts';
import type { FollowRequest, LogPage, Logs } from '../../shared/log/log.ts';
import type { Table } from '../../shared/store/table.ts';
import { getExperiment } from './read.ts';

export interface LogRequest extends FollowRequest {
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

/** The log from a cursor on, as soon as there is something new; or a range of one attempt's lines. */
export async function readLog(
  { table, logs, logGroup }: LogReading,
  organisation: string,
  id: string,
  { attempt, from, to, ...request }: LogRequest,
): Promise<LogPage> {
  const job = async () => logJobOf(organisation, logGroup, await getExperiment(table, organisation, id));
  if (from === undefined && to === undefined && attempt === undefined)
    return logs.follow(request, { organisation, id }, job);
  const first = from ?? 1;
  const items = await logs.range(await job(), { attempt, from: first, to: to ?? first + request.limit - 1 });
  return { items, complete: true };
}
