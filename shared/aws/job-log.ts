import {
  type CloudWatchLogsClient,
  GetLogEventsCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs';

/** The end of a job's log, before it is kept anywhere else. */
export interface JobLog {
  /** Up to twenty events, the last one last; none where nothing has been written yet. */
  lastLines(stream: string): Promise<string[]>;
}

const atMost = 20;

export function createJobLog(group: string, client: CloudWatchLogsClient): JobLog {
  return {
    async lastLines(stream) {
      const lines: string[] = [];
      try {
        for (let nextToken: string | undefined; ; ) {
          const { events = [], nextBackwardToken } = await client.send(
            new GetLogEventsCommand({
              logGroupName: group,
              logStreamName: stream,
              limit: atMost - lines.length,
              nextToken,
            }),
          );
          lines.unshift(...events.map(({ message = '' }) => message));
          // A page may be short, or empty; only the same token again means the beginning.
          if (lines.length >= atMost || nextBackwardToken === nextToken) return lines;
          nextToken = nextBackwardToken;
        }
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return [];
        throw error;
      }
    },
  };
}
