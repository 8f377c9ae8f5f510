/** Kept logs on real engines: the index on dynoxide, objects and streams in the embedded cloud's S3 and Logs. */
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { S3Client } from '@aws-sdk/client-s3';
import { createLogs as createLogsService } from '../../../local/logs.ts';
import { createS3 } from '../../../local/s3.ts';
import { createArtifacts } from '../../../shared/aws/artifacts.ts';
import { createLogs, type FollowRequest, type LogPage } from '../../../shared/log/log.ts';
import type { LogDependencies, LogJob } from '../../../shared/log/refresh.ts';
import { createCloudWithEndpoint } from '../../local/cloud-with-endpoint.ts';
import { bucketOf } from '../../local/s3/declared-bucket.ts';
import { withXmlErrors } from '../../local/s3/xml-errors.ts';
import { startRealTable } from '../store/real-table.ts';

export const group = '/slipway/test/builds';
/** One page as it is now. */
export const ask = { limit: 200, wait: 0, remainingMs: () => 30_000 };
export const texts = (page: LogPage) => page.items.map(({ text }) => text);
/** Too long to stay beside the index. */
export const long = (text: string) => `${text} ${'x'.repeat(9000)}`;

export type LogPlace = Awaited<ReturnType<typeof logPlace>>;

/** With `emptyFirstPage` each stream answers its first page empty, and a token. */
export async function logPlace(getLogEventsPerSecond = 10_000, emptyFirstPage = false) {
  const { table, stop } = await startRealTable();
  const cloud = await createCloudWithEndpoint();
  let ahead = 0;
  // Signatures keep the real time.
  const later: typeof cloud = Object.create(cloud, { now: { value: () => new Date(Date.now() + ahead) } });
  const service = createLogsService(later, { getLogEventsPerSecond, emptyFirstPage });
  const s3 = withXmlErrors(createS3(cloud));
  cloud.serve(service, s3);
  await service.deploy?.([
    {
      stack: 'data',
      logicalId: 'Logs',
      type: 'AWS::Logs::LogGroup',
      physicalId: group,
      attributes: {},
      properties: { LogGroupName: group },
    },
  ]);
  await s3.deploy?.([bucketOf('artifacts')]);
  const client = new CloudWatchLogsClient(cloud.client());
  const artifacts = createArtifacts('artifacts', new S3Client({ ...cloud.client(), forcePathStyle: true }));
  const readerOf = (parts: Partial<LogDependencies> = {}) =>
    createLogs({ table, artifacts, client, now: () => new Date(), ...parts });
  const logs = readerOf();
  /** One page of the job's log. */
  const read = (request: FollowRequest, job: () => LogJob, by = logs) =>
    by.follow(request, job(), async () => job());
  let count = 0;
  return {
    table,
    client,
    artifacts,
    logs,
    readerOf,
    read,
    /** Follows as a client does, to the end. */
    async follow(job: () => LogJob, limit = 200, by = logs): Promise<string[]> {
      const lines: string[] = [];
      let cursor: string | undefined;
      for (;;) {
        const page = await read({ ...ask, limit, wait: 5, cursor }, job, by);
        lines.push(...texts(page));
        if (page.complete) return lines;
        cursor = page.nextCursor;
      }
    },
    /** Has CloudWatch's clock move on. */
    elapse(hours: number) {
      ahead += hours * 3_600_000;
    },
    append(stream: string, ...messages: string[]) {
      const timestamp = Date.now();
      service.append(
        group,
        stream,
        messages.map((message) => ({ timestamp, message })),
      );
    },
    /** A job of its own for each test. */
    newJob(more: Partial<LogJob> = {}): LogJob & { stream: string } {
      const stream = `stream-${++count}`;
      return {
        organisation: 'acme',
        id: `bld_${count}`,
        sources: [{ group, stream, endMarker: 'the end' }],
        ended: false,
        ...more,
        stream,
      };
    },
    async close() {
      await cloud.close();
      await stop();
    },
  };
}
