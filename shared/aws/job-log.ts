import {
  type CloudWatchLogsClient,
  GetLogEventsCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs';

/** The beginning of a job's log, before it is kept anywhere else. */
export interface JobLog {
  /** Up to five events; none where nothing has been written yet. */
  firstLines(stream: string): Promise<string[]>;
}

export function createJobLog(group: string, client: CloudWatchLogsClient): JobLog {
  return {
    async firstLines(stream) {
      try {
        for (let nextToken: string | undefined; ; ) {
          const { events = [], nextForwardToken } = await client.send(
            new GetLogEventsCommand({
              logGroupName: group,
              logStreamName: stream,
              startFromHead: true,
              limit: 5,
              nextToken,
            }),
          );
          // A page may be empty; only the same token again means the end.
          if (events.length > 0 || nextForwardToken === nextToken)
            return events.map(({ message = '' }) => message);
          nextToken = nextForwardToken;
        }
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return [];
        throw error;
      }
    },
  };
}
