/** Where the lines of a job come from: log streams of CloudWatch, one for each attempt. */
import {
  type CloudWatchLogsClient,
  GetLogEventsCommand,
  InvalidParameterException,
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
  /** What kind of line it is; `output` where left out. */
  streamOf?: (text: string) => LogLine['stream'];
}

export interface SourceEvent {
  /** Epoch milliseconds. */
  timestamp: number;
  message: string;
}

/** How far a stream was read, for when the token has expired: all events before a time, and so many of that time. */
export interface Reached {
  timestamp: number;
  count: number;
}

export interface SourcePage {
  events: SourceEvent[];
  /** How far it has been read with this page. */
  reached: Reached | undefined;
  /** Where to read on; nothing while the stream doesn't exist. */
  token: string | undefined;
  /** Whether the stream had no more at that moment. */
  atEnd: boolean;
  /** CloudWatch refused to be read at this moment. */
  throttled?: boolean;
}

/** Reads up to 1 MB on from `token` (from the beginning without one), or after what was `reached` where it has expired. */
export async function readSource(
  client: CloudWatchLogsClient,
  source: LogSource,
  token: string | undefined,
  reached?: Reached,
): Promise<SourcePage> {
  try {
    const { events, nextToken } = await pageOf(client, source, { nextToken: token });
    // CloudWatch may answer an empty page in the middle of a stream; only the same token again means the end.
    return { events, token: nextToken, atEnd: nextToken === token, reached: reachedWith(reached, events) };
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return { events: [], token, atEnd: true, reached };
    // 25 reads a second and account: whoever comes next reads on.
    if ((error as Error).name === 'ThrottlingException')
      return { events: [], token, atEnd: false, throttled: true, reached };
    if (!(error instanceof InvalidParameterException) || token === undefined) throw error;
    return readAfter(client, source, reached);
  }
}

/** Tokens live for 24 hours, and a job that says nothing for as long gets no other. */
async function readAfter(
  client: CloudWatchLogsClient,
  source: LogSource,
  reached: Reached | undefined,
): Promise<SourcePage> {
  let token: string | undefined;
  let left = reached?.count ?? 0;
  for (;;) {
    const before = token;
    const { events, nextToken } = await pageOf(client, source, {
      nextToken: token,
      startTime: reached?.timestamp,
    });
    token = nextToken;
    const isKnown = (event: SourceEvent) => event.timestamp === reached?.timestamp && left-- > 0;
    const news = events.filter((event) => !isKnown(event));
    if (news.length > 0 || token === before)
      return { events: news, token, atEnd: token === before, reached: reachedWith(reached, news) };
  }
}

async function pageOf(
  client: CloudWatchLogsClient,
  { group, stream }: LogSource,
  from: { nextToken?: string | undefined; startTime?: number | undefined },
): Promise<{ events: SourceEvent[]; nextToken: string | undefined }> {
  const answer = await client.send(
    new GetLogEventsCommand({ logGroupName: group, logStreamName: stream, startFromHead: true, ...from }),
  );
  const events = (answer.events ?? []).map(({ timestamp, message }) => ({
    timestamp: timestamp ?? 0,
    message: message ?? '',
  }));
  return { events, nextToken: answer.nextForwardToken };
}

function reachedWith(before: Reached | undefined, events: SourceEvent[]): Reached | undefined {
  const last = events.at(-1);
  if (!last) return before;
  const { timestamp } = last;
  const same = events.filter((event) => event.timestamp === timestamp).length;
  return { timestamp, count: same + (before?.timestamp === timestamp ? before.count : 0) };
}
