/** CreateLogStream and PutLogEvents, with every limit AWS puts on a batch. */
import { AwsError, type JsonCall } from '../platform.ts';
import { RequestMembers } from '../request-members.ts';
import { authorize, groupName, type LogAccess, requireGroup, requireStream, streamName } from './access.ts';
import { eventBytes, type LogLine } from './store.ts';

const maxEventBytes = 1_048_576;
const maxBatchBytes = 1_048_576;
const maxBatchEvents = 10_000;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

const invalid = (message: string): AwsError => new AwsError('InvalidParameterException', message);

export function createLogStream(access: LogAccess, call: JsonCall): object {
  const input = new RequestMembers(call.input, 'InvalidParameterException');
  const group = input.string('logGroupName', groupName);
  const stream = input.string('logStreamName', streamName);
  authorize(access, call, 'CreateLogStream', group, stream);
  requireGroup(access, group);
  if (!access.store.addStream(group, stream))
    throw new AwsError('ResourceAlreadyExistsException', 'The specified log stream already exists');
  return {};
}

function readBatch(input: RequestMembers): LogLine[] {
  const events = input.structures('logEvents', maxBatchEvents);
  if (events.length === 0) throw invalid("Log events can't be empty.");
  const lines = events.map((event) => {
    const message = event.string('message');
    if (Buffer.byteLength(message) > maxEventBytes)
      throw invalid(
        `Log event too large: ${Buffer.byteLength(message)} bytes exceeds limit of ${maxEventBytes}`,
      );
    const timestamp = event.optionalInteger('timestamp', 0, Number.MAX_SAFE_INTEGER);
    if (timestamp === undefined)
      throw invalid("Value at 'timestamp' failed to satisfy constraint: Member must not be null");
    return { timestamp, message };
  });
  const bytes = lines.reduce((sum, line) => sum + eventBytes(line.message), 0);
  if (bytes > maxBatchBytes)
    throw invalid(`Upload too large: ${bytes} bytes exceeds limit of ${maxBatchBytes}`);
  for (let index = 1; index < lines.length; index += 1)
    if ((lines[index]?.timestamp ?? 0) < (lines[index - 1]?.timestamp ?? 0))
      throw invalid('Log events in a single PutLogEvents request must be in chronological order.');
  if ((lines.at(-1)?.timestamp ?? 0) - (lines[0]?.timestamp ?? 0) > dayMs)
    throw invalid('The batch of log events in a single PutLogEvents request cannot span more than 24 hours.');
  return lines;
}

/** Accepts what is in time; what is too old or too new is named in the answer, not an error. */
export function putLogEvents(access: LogAccess, call: JsonCall): object {
  const input = new RequestMembers(call.input, 'InvalidParameterException');
  const group = input.string('logGroupName', groupName);
  const name = input.string('logStreamName', streamName);
  authorize(access, call, 'PutLogEvents', group, name);
  const stream = requireStream(access, group, name);
  const lines = readBatch(input);
  const now = access.now();
  const retentionDays = access.store.group(group)?.retentionDays;
  const expired = lines.filter(
    (line) => retentionDays && line.timestamp < now - retentionDays * dayMs,
  ).length;
  const tooOld = lines.filter((line) => line.timestamp < now - 14 * dayMs).length;
  const tooNew = lines.findIndex((line) => line.timestamp > now + 2 * hourMs);
  const rejected = {
    ...(expired > 0 && { expiredLogEventEndIndex: expired }),
    ...(tooOld > 0 && { tooOldLogEventEndIndex: tooOld }),
    ...(tooNew >= 0 && { tooNewLogEventStartIndex: tooNew }),
  };
  const accepted = lines.slice(Math.max(expired, tooOld), tooNew < 0 ? undefined : tooNew);
  if (accepted.length > 0) access.store.append(stream, accepted);
  return {
    nextSequenceToken: String(now).padStart(56, '4'),
    ...(Object.keys(rejected).length > 0 && { rejectedLogEventsInfo: rejected }),
  };
}
