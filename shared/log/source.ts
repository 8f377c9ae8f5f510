/** Where the lines of a job come from: log streams of CloudWatch, one for each attempt. */
import {
  type CloudWatchLogsClient,
  GetLogEventsCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs';
import type { LogLine } from '../model/common.ts';

export interface LogSource {
  group: string;
  stream: string;
  attempt?: number;
  /** When whatever writes the stream ended; unset while it may still write. */
  endedAt?: string;
  /** A line that says that nothing of interest follows. */
  endMarker?: string;
  /** What kind of line it is; `stdout` where left out. */
  streamOf?: (text: string) => LogLine['stream'];
}

export interface SourceEvent {
  /** Epoch milliseconds. */
  timestamp: number;
  message: string;
}

export interface SourcePage {
  events: SourceEvent[];
  /** Where to read on; nothing while the stream doesn't exist. */
  token: string | undefined;
  /** Whether the stream had no more at that moment. */
  atEnd: boolean;
  /** CloudWatch refused to be read at this moment. */
  throttled?: boolean;
}

/** Reads up to 1 MB on from `token` (from the beginning without one). */
export async function readSource(
  client: CloudWatchLogsClient,
  { group, stream }: LogSource,
  token: string | undefined,
): Promise<SourcePage> {
  try {
    const answer = await client.send(
      new GetLogEventsCommand({
        logGroupName: group,
        logStreamName: stream,
        startFromHead: true,
        ...(token === undefined ? {} : { nextToken: token }),
      }),
    );
    const events = (answer.events ?? []).map(({ timestamp, message }) => ({
      timestamp: timestamp ?? 0,
      message: message ?? '',
    }));
    // CloudWatch may answer an empty page in the middle of a stream; only the same token again means the end.
    return { events, token: answer.nextForwardToken, atEnd: answer.nextForwardToken === token };
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return { events: [], token, atEnd: true };
    // 25 reads a second and account: whoever comes next reads on.
    if ((error as Error).name === 'ThrottlingException')
      return { events: [], token, atEnd: false, throttled: true };
    throw error;
  }
}
