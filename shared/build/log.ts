/** The log of a build: one stream of CodeBuild's. */
import { logStreamOf } from '../aws/builds.ts';
import type { LogJob } from '../log/refresh.ts';
import { endOfLog } from '../model/end-of-log.ts';
import { type BuildRecord, isOver } from './record.ts';

export function logJobOf(
  record: Pick<BuildRecord, 'id' | 'status' | 'codeBuildId' | 'finishedAt'>,
  organisation: string,
  logGroup: string,
): LogJob {
  const { id, codeBuildId, finishedAt } = record;
  return {
    organisation,
    id,
    ended: isOver(record),
    sources: codeBuildId
      ? [
          {
            group: logGroup,
            stream: logStreamOf(organisation, codeBuildId),
            ...(finishedAt ? { endedAt: finishedAt } : {}),
            endMarker: endOfLog,
            // What CodeBuild and the builder say themselves, as opposed to the Dockerfile's steps.
            streamOf: (text) => (/^\[(Container|slipway)\] /.test(text) ? 'system' : 'output'),
          },
        ]
      : [],
  };
}
