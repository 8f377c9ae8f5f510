/** GetLogEvents, FilterLogEvents, DescribeLogStreams. */
import { AwsError, type JsonCall } from '../platform.ts';
import { RequestMembers } from '../request-members.ts';
import { authorize, groupOf, type LogAccess, requireGroup, requireStream, streamName } from './access.ts';
import { matchesFilter } from './filter-pattern.ts';
import { eventBytes, type LogStream, type Position, type StoredEvent } from './store.ts';

const maxPageBytes = 1_048_576;
const maxPageEvents = 10_000;
const beginning: Position = { timestamp: -1, id: 0 };
const ending: Position = { timestamp: Number.MAX_SAFE_INTEGER, id: Number.MAX_SAFE_INTEGER };

const tokenLifeMs = 24 * 3_600_000;

/** 28 digits of time, 28 of arrival. */
const digitsOf = (at: Position): string =>
  String(at.timestamp + 1).padStart(28, '0') + String(at.id).padStart(28, '0');

/** Tokens name the place where the next page begins, and when they were made. */
const tokenAt = (direction: 'f' | 'b', at: Position, madeAt: number): string =>
  `${direction}/${digitsOf(at)}/${madeAt.toString(36)}`;

function readToken(token: string, now: number): { direction: 'f' | 'b'; at: Position } {
  const parts = /^([fb])\/(\d{28})(\d{28})\/([0-9a-z]{1,11})$/.exec(token);
  if (!parts) throw new AwsError('InvalidParameterException', 'The specified nextToken is invalid.');
  if (now - Number.parseInt(parts[4] ?? '', 36) > tokenLifeMs)
    throw new AwsError('InvalidParameterException', 'The specified nextToken is expired.');
  return {
    direction: parts[1] === 'f' ? 'f' : 'b',
    at: { timestamp: Number(parts[2]) - 1, id: Number(parts[3]) },
  };
}

function page(found: Iterable<StoredEvent>): StoredEvent[] {
  const events: StoredEvent[] = [];
  let bytes = 0;
  for (const event of found) {
    bytes += eventBytes(event.message);
    if (bytes > maxPageBytes && events.length > 0) break;
    events.push(event);
  }
  return events;
}

/**
 * One page of one stream, oldest first. The same forward token twice means the end for now; with
 * `emptyFirstPage` a read begins with an empty page, from either end.
 */
export function getLogEvents(access: LogAccess, call: JsonCall, emptyFirstPage: boolean): object {
  const input = new RequestMembers(call.input, 'InvalidParameterException');
  const group = groupOf(input);
  const name = input.string('logStreamName', streamName);
  authorize(access, call, 'GetLogEvents', group, name);
  const stream = requireStream(access, group, name);
  const start = input.optionalInteger('startTime', 0, Number.MAX_SAFE_INTEGER) ?? 0;
  const end = input.optionalInteger('endTime', 0, Number.MAX_SAFE_INTEGER) ?? Number.MAX_SAFE_INTEGER;
  const limit = input.optionalInteger('limit', 1, maxPageEvents) ?? maxPageEvents;
  const fromHead = input.boolean('startFromHead', false);
  const token = input.optionalString('nextToken', { min: 1 });
  const from = token
    ? readToken(token, access.now())
    : fromHead
      ? { direction: 'f' as const, at: beginning }
      : { direction: 'b' as const, at: ending };

  const empty = emptyFirstPage && token === undefined;
  const events = empty
    ? []
    : from.direction === 'f'
      ? page(access.store.after(stream, from.at, start, end, limit))
      : page(access.store.before(stream, from.at, start, end, limit)).reverse();
  const first = events[0];
  const last = events.at(-1);
  // With nothing found, a read from the tail must still lead to what arrives later.
  const here = from.at === ending ? beginning : from.at;
  return {
    events: events.map(({ timestamp, message, ingestionTime }) => ({ timestamp, message, ingestionTime })),
    // At an end the token that was given comes back, and grows old.
    nextForwardToken:
      token && !last && from.direction === 'f'
        ? token
        : tokenAt('f', last ?? (from.direction === 'f' ? here : previous(here)), access.now()),
    nextBackwardToken:
      token && !first && from.direction === 'b'
        ? token
        : tokenAt(
            'b',
            first ?? (from.direction === 'f' ? following(here) : empty ? from.at : here),
            access.now(),
          ),
  };
}

// Forward tokens exclude their place, backward tokens too: crossing over must not lose the event in between.
const previous = (at: Position): Position => ({ timestamp: at.timestamp, id: Math.max(at.id - 1, 0) });
const following = (at: Position): Position => ({ timestamp: at.timestamp, id: at.id + 1 });

/** Events of a group whose message contains the pattern, over all or some streams, oldest first. */
export function filterLogEvents(access: LogAccess, call: JsonCall): object {
  const input = new RequestMembers(call.input, 'InvalidParameterException');
  const group = groupOf(input);
  authorize(access, call, 'FilterLogEvents', group);
  requireGroup(access, group);
  const names = input.strings('logStreamNames', 100);
  const prefix = input.optionalString('logStreamNamePrefix');
  if (names.length > 0 && prefix !== undefined)
    throw new AwsError(
      'InvalidParameterException',
      'Cannot provide both logStreamNames and logStreamNamePrefix',
    );
  for (const name of names) requireStream(access, group, name);
  const start = input.optionalInteger('startTime', 0, Number.MAX_SAFE_INTEGER) ?? 0;
  const end = input.optionalInteger('endTime', 0, Number.MAX_SAFE_INTEGER) ?? Number.MAX_SAFE_INTEGER;
  const limit = input.optionalInteger('limit', 1, maxPageEvents) ?? maxPageEvents;
  const pattern = input.optionalString('filterPattern', { max: 1024 }) ?? '';
  const token = input.optionalString('nextToken', { min: 1 });
  const at = token ? readToken(token, access.now()).at : beginning;

  const chosen = access.store
    .streams(group)
    .filter((one) => (names.length > 0 ? names.includes(one.name) : one.name.startsWith(prefix ?? '')));
  const found = chosen
    .flatMap((stream: LogStream) =>
      // One more than the page, to know whether there is another page.
      page(access.store.after(stream, at, start, end, limit + 1)).map((event) => ({ stream, event })),
    )
    .sort((a, b) => a.event.timestamp - b.event.timestamp || a.event.id - b.event.id);
  let bytes = 0;
  const examined = found.filter(({ event }, index) => {
    bytes += eventBytes(event.message);
    return index < limit && (bytes <= maxPageBytes || index === 0);
  });
  const last = examined.at(-1)?.event;
  return {
    events: examined
      .filter(({ event }) => matchesFilter(pattern, event.message))
      .map(({ stream, event }) => ({
        logStreamName: stream.name,
        timestamp: event.timestamp,
        message: event.message,
        ingestionTime: event.ingestionTime,
        eventId: digitsOf(event),
      })),
    searchedLogStreams: [],
    ...(last && examined.length < found.length && { nextToken: tokenAt('f', last, access.now()) }),
  };
}

/** Streams of a group by name, or by the time of their last event. */
export function describeLogStreams(access: LogAccess, call: JsonCall): object {
  const input = new RequestMembers(call.input, 'InvalidParameterException');
  const group = groupOf(input);
  authorize(access, call, 'DescribeLogStreams', group);
  requireGroup(access, group);
  const prefix = input.optionalString('logStreamNamePrefix', { min: 1, ...streamName });
  const orderBy =
    input.optionalString('orderBy', { pattern: /^(LogStreamName|LastEventTime)$/ }) ?? 'LogStreamName';
  if (prefix !== undefined && orderBy === 'LastEventTime')
    throw new AwsError(
      'InvalidParameterException',
      'Cannot order by LastEventTime with a logStreamNamePrefix.',
    );
  const limit = input.optionalInteger('limit', 1, 50) ?? 50;
  const offset = Number(input.optionalString('nextToken', { pattern: /^\d{1,12}$/ }) ?? 0);
  const described = access.store
    .streams(group)
    .filter((one) => one.name.startsWith(prefix ?? ''))
    .map((one) => ({ ...one, ...access.store.bounds(one) }));
  if (orderBy === 'LastEventTime') described.sort((a, b) => (a.last ?? 0) - (b.last ?? 0));
  if (input.boolean('descending', false)) described.reverse();
  return {
    logStreams: described.slice(offset, offset + limit).map((one) => ({
      logStreamName: one.name,
      creationTime: one.createdAt,
      ...(one.first !== null && { firstEventTimestamp: one.first, lastEventTimestamp: one.last }),
      ...(one.ingested !== null && { lastIngestionTime: one.ingested }),
      arn: `${access.groupArn(group)}:log-stream:${one.name}`,
      storedBytes: 0,
    })),
    ...(offset + limit < described.length && { nextToken: String(offset + limit) }),
  };
}
