import type { LogJob } from '../log/refresh.ts';
import { type ExperimentRecord, isOver } from './record.ts';

/** Where the lines of an experiment come from: one stream for each attempt whose container started (E14). */
export function logJobOf(organisation: string, group: string, record: ExperimentRecord): LogJob {
  return {
    organisation,
    id: record.id,
    sources: record.attempts.flatMap(({ number, logStream, finishedAt, stage }) =>
      logStream === undefined
        ? []
        : [
            {
              group,
              stream: logStream,
              attempt: number,
              ...(stage === 'ended' && finishedAt !== undefined ? { endedAt: finishedAt } : {}),
            },
          ],
    ),
    ended: isOver(record),
  };
}
