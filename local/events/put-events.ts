/** The PutEvents call. */
import { AwsError, type CloudEvent, type JsonCall } from '../platform.ts';
import { RequestMembers } from '../request-members.ts';

const maxRequestBytes = 262_144;
const maxEntries = 10;

type Answer = { EventId: string } | { ErrorCode: string; ErrorMessage: string };

function entryBytes(entry: RequestMembers): number {
  const texts = ['Source', 'DetailType', 'Detail'].map((name) => entry.optionalString(name) ?? '');
  const bytes = [...texts, ...entry.strings('Resources')].reduce(
    (sum, text) => sum + Buffer.byteLength(text),
    0,
  );
  return bytes + (entry.has('Time') ? 14 : 0);
}

function readDetail(text: string): Record<string, unknown> | undefined {
  try {
    const detail: unknown = JSON.parse(text);
    return typeof detail === 'object' && detail !== null && !Array.isArray(detail)
      ? (detail as Record<string, unknown>)
      : undefined;
  } catch {
    // Told to the caller as MalformedDetail.
    return undefined;
  }
}

/** At most ten entries and 256 KiB; each is accepted or refused by itself. */
export function putEvents(call: JsonCall, busArn: string, publish: (event: CloudEvent) => string): object {
  const input = new RequestMembers(call.input, 'ValidationException');
  const entries = input.structures('Entries', maxEntries);
  if (entries.length === 0)
    throw new AwsError(
      'ValidationException',
      "1 validation error detected: Value '[]' at 'entries' failed to satisfy constraint: Member must have length greater than or equal to 1",
    );
  if (entries.reduce((sum, entry) => sum + entryBytes(entry), 0) > maxRequestBytes)
    throw new AwsError('ValidationException', `Total size of the entries in the request is over the limit.`);
  const answers = entries.map((entry): Answer => {
    const refuse = (ErrorCode: string, ErrorMessage: string): Answer => ({ ErrorCode, ErrorMessage });
    const bus = entry.optionalString('EventBusName');
    const source = entry.optionalString('Source');
    const detailType = entry.optionalString('DetailType');
    const detailText = entry.optionalString('Detail');
    if (!source)
      return refuse(
        'InvalidArgument',
        'Parameter Source is not valid. Reason: Source is a required argument.',
      );
    if (!detailType)
      return refuse(
        'InvalidArgument',
        'Parameter DetailType is not valid. Reason: DetailType is a required argument.',
      );
    if (!detailText)
      return refuse(
        'InvalidArgument',
        'Parameter Detail is not valid. Reason: Detail is a required argument.',
      );
    if (source.startsWith('aws.'))
      return refuse('NotAuthorizedForSourceException', 'Not authorized for the source.');
    if (bus !== undefined && bus !== 'default' && bus !== busArn)
      return refuse('ResourceNotFoundException', `Event bus ${bus} does not exist.`);
    const detail = readDetail(detailText);
    if (!detail) return refuse('MalformedDetail', 'Detail is malformed.');
    call.authorize('events:PutEvents', busArn, { 'events:source': source, 'events:detail-type': detailType });
    const time = call.input.Entries[entries.indexOf(entry)]?.Time;
    return {
      EventId: publish({
        source,
        'detail-type': detailType,
        detail,
        resources: entry.strings('Resources'),
        ...(typeof time === 'number' && { time: new Date(time * 1000).toISOString() }),
      }),
    };
  });
  return { FailedEntryCount: answers.filter((one) => 'ErrorCode' in one).length, Entries: answers };
}
