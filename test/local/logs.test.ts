import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLogs, type Logs } from '../../local/logs.ts';
import { call, type TestCloud, testCloud } from './test-cloud.ts';

let cloud: TestCloud;
let logs: Logs;
const at = (offset: number): number => cloud.time + offset;
const stream = { logGroupName: '/slipway/jobs', logStreamName: 'job/1' };
const get = (input: object) => call(cloud, logs, 'GetLogEvents', { ...stream, ...input });
const put = (logEvents: object[]) => call(cloud, logs, 'PutLogEvents', { ...stream, logEvents });
const messages = (page: { events: { message: string }[] }): string[] => page.events.map((one) => one.message);

beforeEach(async () => {
  cloud = testCloud();
  logs = createLogs(cloud, { getLogEventsPerSecond: 10_000 });
  await logs.deploy?.([
    {
      stack: 'data',
      logicalId: 'Jobs',
      type: 'AWS::Logs::LogGroup',
      physicalId: '/slipway/jobs',
      attributes: {},
      properties: { LogGroupName: '/slipway/jobs', RetentionInDays: 7 },
    },
  ]);
  await call(cloud, logs, 'CreateLogStream', stream);
});
afterEach(() => cloud.remove());

test('E14 the same forward token twice is the end, and later lines follow it', async () => {
  await put([1, 2, 3].map((n) => ({ timestamp: at(n), message: `line ${n}` })));
  const first = await get({ startFromHead: true, limit: 2 });
  expect(messages(first)).toEqual(['line 1', 'line 2']);
  const second = await get({ nextToken: first.nextForwardToken, startFromHead: true });
  expect(messages(second)).toEqual(['line 3']);
  const third = await get({ nextToken: second.nextForwardToken, startFromHead: true });
  expect(third.events).toEqual([]);
  expect(third.nextForwardToken).toBe(second.nextForwardToken);

  logs.append(stream.logGroupName, stream.logStreamName, [{ timestamp: at(4), message: 'line 4' }]);
  expect(messages(await get({ nextToken: third.nextForwardToken, startFromHead: true }))).toEqual(['line 4']);
});

test('E14 reading from the tail goes backwards in pages, each oldest first', async () => {
  await put([1, 2, 3, 4, 5].map((n) => ({ timestamp: at(0), message: `line ${n}` })));
  const tail = await get({ limit: 2 });
  expect(messages(tail)).toEqual(['line 4', 'line 5']);
  const earlier = await get({ limit: 2, nextToken: tail.nextBackwardToken });
  expect(messages(earlier)).toEqual(['line 2', 'line 3']);
  const first = await get({ limit: 2, nextToken: earlier.nextBackwardToken });
  expect(messages(first)).toEqual(['line 1']);
  const none = await get({ nextToken: first.nextBackwardToken });
  expect(none.nextBackwardToken).toBe(first.nextBackwardToken);
  expect(messages(await get({ nextToken: none.nextForwardToken }))).toHaveLength(5);
});

test('a page holds at most one megabyte', async () => {
  const message = 'x'.repeat(300_000);
  for (const n of [1, 2, 3, 4]) await put([{ timestamp: at(n), message }]);
  const first = await get({ startFromHead: true });
  expect(first.events).toHaveLength(3);
  expect((await get({ nextToken: first.nextForwardToken })).events).toHaveLength(1);
});

test('a page holds at most 10,000 events, and no more can be asked for', async () => {
  const lines = Array.from({ length: 10_001 }, (_, n) => ({ timestamp: at(n), message: `${n}` }));
  logs.append(stream.logGroupName, stream.logStreamName, lines);
  expect((await get({ startFromHead: true })).events).toHaveLength(10_000);
  await expect(get({ limit: 10_001 })).rejects.toMatchObject({ code: 'InvalidParameterException' });
});

test('lines of services: empty ones are left out, long ones cut between characters', async () => {
  const long = `${'x'.repeat(262_117)}ä${'y'.repeat(10)}`;
  const lines = ['one', '', long].map((message, n) => ({ timestamp: at(n), message }));
  logs.append(stream.logGroupName, stream.logStreamName, lines);
  const page = messages(await get({ startFromHead: true }));
  expect(page.map((message) => message.length)).toEqual([3, 262_117, 11]);
  expect(page.slice(1).join('')).toBe(long);
});

test('an empty first page comes with a token that leads on', async () => {
  logs = createLogs(cloud, { emptyFirstPage: true });
  await put([{ timestamp: at(1), message: 'one' }]);
  const empty = await get({ startFromHead: true });
  expect(empty.events).toEqual([]);
  expect(messages(await get({ nextToken: empty.nextForwardToken, startFromHead: true }))).toEqual(['one']);
  const fromTail = await get({});
  expect(fromTail.events).toEqual([]);
  expect(messages(await get({ nextToken: fromTail.nextBackwardToken }))).toEqual(['one']);
});

test('GetLogEvents beyond 25 a second is throttled, and a second later is not', async () => {
  logs = createLogs(cloud);
  for (let n = 0; n < 25; n += 1) await get({});
  await expect(get({})).rejects.toMatchObject({ code: 'ThrottlingException' });
  cloud.time += 1000;
  await get({});
});

test('FilterLogEvents beyond 10 a second is throttled', async () => {
  logs = createLogs(cloud);
  const filter = () => call(cloud, logs, 'FilterLogEvents', { logGroupName: '/slipway/jobs' });
  for (let n = 0; n < 10; n += 1) await filter();
  await expect(filter()).rejects.toMatchObject({ code: 'ThrottlingException' });
});

test.each([
  [
    'more than 10,000 events',
    () => Array.from({ length: 10_001 }, () => ({ timestamp: at(0), message: 'x' })),
  ],
  ['more than a megabyte', () => [1, 2].map(() => ({ timestamp: at(0), message: 'x'.repeat(600_000) }))],
  ['an event above a megabyte', () => [{ timestamp: at(0), message: 'x'.repeat(1_048_577) }]],
  ['events out of order', () => [5, 1].map((n) => ({ timestamp: at(n), message: 'x' }))],
  ['more than 24 hours', () => [-90_000_000, 0].map((n) => ({ timestamp: at(n), message: 'x' }))],
  ['nothing', () => []],
])('a batch of %s is refused', async (_what, events) => {
  await expect(put(events())).rejects.toMatchObject({ code: 'InvalidParameterException' });
  expect((await get({ startFromHead: true })).events).toEqual([]);
});

test('events too old and too new are named and left out', async () => {
  const answer = await put([{ timestamp: at(3 * 3_600_000), message: 'tomorrow' }]);
  expect(answer.rejectedLogEventsInfo).toEqual({ tooNewLogEventStartIndex: 0 });
  const old = await put([{ timestamp: at(-8 * 86_400_000), message: 'before the retention' }]);
  expect(old.rejectedLogEventsInfo).toEqual({ expiredLogEventEndIndex: 1 });
  expect((await get({ startFromHead: true })).events).toEqual([]);
});

test('missing groups and streams, foreign tokens and second streams have AWS names', async () => {
  await expect(get({ logStreamName: 'none' })).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
  await expect(get({ logGroupName: '/none' })).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
  await expect(get({ nextToken: 'bogus' })).rejects.toMatchObject({ code: 'InvalidParameterException' });
  await expect(call(cloud, logs, 'CreateLogStream', stream)).rejects.toMatchObject({
    code: 'ResourceAlreadyExistsException',
  });
});

test('reads are authorized on the stream', async () => {
  cloud.deny = ({ action }) => action === 'logs:GetLogEvents';
  await expect(get({})).rejects.toMatchObject({ code: 'AccessDeniedException' });
  expect(cloud.authorizations.at(-1)?.resource).toBe(
    'arn:aws:logs:us-east-1:000000000000:log-group:/slipway/jobs:log-stream:job/1',
  );
});

test('filtering reads all streams in order, by terms', async () => {
  await put([
    { timestamp: at(1), message: 'loss=0.5' },
    { timestamp: at(3), message: 'accuracy=1' },
  ]);
  logs.append('/slipway/jobs', 'job/2', [{ timestamp: at(2), message: 'loss=0.4' }]);
  const group = { logGroupName: '/slipway/jobs' };
  const found = await call(cloud, logs, 'FilterLogEvents', { ...group, filterPattern: 'loss' });
  expect(messages(found)).toEqual(['loss=0.5', 'loss=0.4']);
  const first = await call(cloud, logs, 'FilterLogEvents', { ...group, limit: 2 });
  expect(messages(first)).toEqual(['loss=0.5', 'loss=0.4']);
  const rest = await call(cloud, logs, 'FilterLogEvents', { ...group, limit: 2, nextToken: first.nextToken });
  expect(messages(rest)).toEqual(['accuracy=1']);
  expect(rest.nextToken).toBeUndefined();
});

test('streams are described in pages', async () => {
  for (const name of ['b', 'a']) logs.append('/slipway/jobs', name, [{ timestamp: at(0), message: 'x' }]);
  const group = { logGroupName: '/slipway/jobs', limit: 2 };
  const first = await call(cloud, logs, 'DescribeLogStreams', group);
  expect(first.logStreams.map((one: { logStreamName: string }) => one.logStreamName)).toEqual(['a', 'b']);
  const rest = await call(cloud, logs, 'DescribeLogStreams', { ...group, nextToken: first.nextToken });
  expect(rest.logStreams).toHaveLength(1);
});

test('lines outlive a kill, and not their retention', async () => {
  await put([{ timestamp: at(0), message: 'kept' }]);
  cloud = cloud.reopened();
  logs = createLogs(cloud);
  expect(messages(await get({ startFromHead: true }))).toEqual(['kept']);
  cloud.time += 8 * 86_400_000;
  await logs.start?.();
  await logs.stop?.();
  expect((await get({ startFromHead: true })).events).toEqual([]);
});

test('E14 tokens expire after 24 hours, also one that was given back at an end again and again', async () => {
  await put([{ timestamp: at(0), message: 'one' }]);
  const { nextForwardToken } = await get({ startFromHead: true });
  cloud.time += 23 * 3_600_000;
  expect((await get({ nextToken: nextForwardToken })).nextForwardToken).toBe(nextForwardToken);
  cloud.time += 2 * 3_600_000;
  await expect(get({ nextToken: nextForwardToken })).rejects.toMatchObject({
    code: 'InvalidParameterException',
  });
});
