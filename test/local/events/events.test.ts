import { afterEach, beforeEach, expect, test } from 'vitest';
import { createEvents, type Events } from '../../../local/events.ts';
import { AwsError, type DeclaredResource } from '../../../local/platform.ts';
import { call, type TestCloud, testCloud } from '../test-cloud.ts';
import { type TestEndpoint, testEndpoint } from '../test-endpoint.ts';

let cloud: TestCloud;
let events: Events;
let endpoint: TestEndpoint | undefined;
const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:build-events';
const deadLetterArn = 'arn:aws:sqs:us-east-1:000000000000:dead';
const ruleArn = 'arn:aws:events:us-east-1:000000000000:rule/builds';
const rule = (properties: object, target: object = {}): DeclaredResource => ({
  stack: 'api',
  logicalId: 'Rule',
  type: 'AWS::Events::Rule',
  physicalId: 'builds',
  attributes: { Arn: ruleArn },
  properties: {
    EventPattern: { source: ['aws.codebuild'] },
    Targets: [{ Id: 'Target0', Arn: functionArn, ...target }],
    ...properties,
  },
});
const event = (n: number) => ({
  source: 'aws.codebuild',
  'detail-type': 'CodeBuild Build State Change',
  detail: { n },
});
const delivered = () => cloud.invocations.map((one) => (one.payload as { detail: { n: number } }).detail.n);
const left = () => Number(cloud.db.prepare('SELECT COUNT(*) AS n FROM events_deliveries').get()?.n);

beforeEach(() => {
  cloud = testCloud();
  events = createEvents(cloud, { chaos: '' });
});
afterEach(async () => {
  await events.stop?.();
  await endpoint?.close();
  endpoint = undefined;
  cloud.remove();
});

test('a matching event reaches the function as the rule; others do not', async () => {
  await events.deploy?.([rule({})]);
  await events.start?.();
  events.publish({ source: 'aws.batch', 'detail-type': 'Batch Job State Change', detail: {} });
  const id = events.publish({ ...event(1), resources: ['arn:build'], time: '2026-11-20T09:59:58.123Z' });
  await expect
    .poll(() => cloud.invocations)
    .toEqual([
      {
        functionArn,
        invoker: { service: 'events.amazonaws.com', sourceArn: ruleArn },
        payload: {
          version: '0',
          id,
          source: 'aws.codebuild',
          'detail-type': 'CodeBuild Build State Change',
          account: '000000000000',
          region: 'us-east-1',
          time: '2026-11-20T09:59:58Z',
          resources: ['arn:build'],
          detail: { n: 1 },
        },
      },
    ]);
  await expect.poll(left).toBe(0);
});

test('events published before a kill are delivered after it', async () => {
  await events.deploy?.([rule({})]);
  for (let n = 0; n < 50; n += 1) events.publish(event(n));
  expect(cloud.invocations).toEqual([]);
  cloud = cloud.reopened();
  events = createEvents(cloud, { chaos: '' });
  await events.deploy?.([rule({})]);
  await events.start?.();
  await expect.poll(delivered).toEqual(Array.from({ length: 50 }, (_, n) => n));
});

test('a failing delivery is retried with growing pauses', async () => {
  let failures = 2;
  const invoke = cloud.invokeFunctionAsync;
  cloud.invokeFunctionAsync = (...given) => {
    if (failures-- > 0) throw new AwsError('ServiceException', 'busy', 500);
    invoke(...given);
  };
  await events.deploy?.([rule({})]);
  await events.start?.();
  events.publish(event(1));
  await expect.poll(() => failures).toBe(1);
  expect(left()).toBe(1);
  for (let seconds = 0; seconds < 6 && left() > 0; seconds += 1) {
    cloud.time += 1_000;
    events.publish({ source: 'nobody', 'detail-type': 'kick', detail: {} });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(delivered()).toEqual([1]);
  expect(left()).toBe(0);
});

test('a function that does not admit the rule sends the event to the dead-letter queue at once', async () => {
  cloud.invokeFunctionAsync = () => {
    throw new AwsError('AccessDeniedException', 'events.amazonaws.com may not invoke it', 403);
  };
  await events.deploy?.([rule({}, { DeadLetterConfig: { Arn: deadLetterArn } })]);
  await events.start?.();
  events.publish(event(7));
  await expect
    .poll(() => cloud.queued)
    .toMatchObject([
      {
        queueArn: deadLetterArn,
        attributes: {
          RULE_ARN: ruleArn,
          TARGET_ARN: functionArn,
          ERROR_CODE: 'NO_PERMISSIONS',
          RETRY_ATTEMPTS: '0',
        },
      },
    ]);
  expect(JSON.parse(cloud.queued[0]?.body ?? '').detail).toEqual({ n: 7 });
  await expect.poll(left).toBe(0);
});

test('retries end where the rule says, and without a queue the loss is reported', async () => {
  cloud.invokeFunctionAsync = () => {
    throw new AwsError('ServiceException', 'busy', 500);
  };
  await events.deploy?.([rule({}, { RetryPolicy: { MaximumRetryAttempts: 0 } })]);
  await events.start?.();
  events.publish(event(1));
  await expect.poll(() => cloud.logged).toEqual([expect.stringMatching(/busy; the event is lost/)]);
  expect(left()).toBe(0);
});

test('chaos duplicates, delays and reorders, and loses nothing', async () => {
  let seed = 7;
  const random = (): number => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  events = createEvents(cloud, { chaos: 'duplicate,delay=40,reorder=30', random });
  cloud.now = () => new Date();
  await events.deploy?.([rule({})]);
  await events.start?.();
  for (let n = 0; n < 20; n += 1) events.publish(event(n));
  await expect.poll(delivered).toHaveLength(40);
  const sorted = [...delivered()].sort((a, b) => a - b);
  expect(sorted).toEqual(Array.from({ length: 40 }, (_, n) => Math.floor(n / 2)));
  expect(delivered()).not.toEqual(sorted);
});

test('an unknown kind of chaos is named', () => {
  expect(() => createEvents(cloud, { chaos: 'mayhem' })).toThrow(/mayhem/);
});

test.each([
  [{ Input: '{"fixed":true}' }, { fixed: true }],
  [{ InputPath: '$.detail' }, { n: 5 }],
  [
    {
      InputTransformer: {
        InputPathsMap: { n: '$.detail.n', type: "$['detail-type']" },
        InputTemplate:
          '{"n": <n>, "text": "<type>: \\"<n>\\"", "type": <type>, "rule": "<aws.events.rule-name>"}',
      },
    },
    { n: 5, text: 'CodeBuild Build State Change: "5"', type: 'CodeBuild Build State Change', rule: 'builds' },
  ],
])('a target with %j gets %j', async (target, payload) => {
  await events.deploy?.([rule({}, target)]);
  await events.start?.();
  events.publish(event(5));
  await expect.poll(() => cloud.invocations.map((one) => one.payload)).toEqual([payload]);
});

test('a state machine is started with the role of the target', async () => {
  const started: unknown[] = [];
  endpoint = await testEndpoint(cloud, [
    {
      signingName: 'states',
      operations: {
        StartExecution(request) {
          started.push([
            request.principal.arn,
            request.input.stateMachineArn,
            JSON.parse(request.input.input).detail,
          ]);
          return { executionArn: 'arn:execution', startDate: 0 };
        },
      },
    },
  ]);
  const Arn = 'arn:aws:states:us-east-1:000000000000:stateMachine:experiments';
  await events.deploy?.([rule({}, { Arn, RoleArn: 'arn:aws:iam::000000000000:role/rule' })]);
  await events.start?.();
  events.publish(event(3));
  await expect.poll(() => started).toEqual([['arn:aws:iam::000000000000:role/rule', Arn, { n: 3 }]]);
  await expect.poll(left).toBe(0);
});

test('a disabled rule matches nothing, a wrong one is named', async () => {
  await events.deploy?.([rule({ State: 'DISABLED' })]);
  events.publish(event(1));
  expect(left()).toBe(0);
  await expect(events.deploy?.([rule({ EventPattern: { source: 'text' } })])).rejects.toThrow(/not valid/);
  await expect(
    events.deploy?.([rule({}, { Arn: 'arn:aws:sns:us-east-1:000000000000:topic' })]),
  ).rejects.toThrow(/sns/);
  await expect(events.deploy?.([rule({ EventBusName: 'other' })])).rejects.toThrow(/other/);
});

test('a scheduled rule fires on time, once, and again after a restart only when due', async () => {
  const scheduled = () => rule({ EventPattern: undefined, ScheduleExpression: 'rate(1 minute)' });
  const ticks: (() => void)[] = [];
  cloud.every = (_every, _name, task) => {
    ticks.push(() => void task());
    return () => undefined;
  };
  const tick = async () => {
    for (const one of ticks) one();
    await new Promise((resolve) => setTimeout(resolve, 10));
  };
  await events.deploy?.([scheduled()]);
  await events.start?.();
  await tick();
  expect(cloud.invocations).toHaveLength(0);
  cloud.time += 60_000;
  await tick();
  await tick();
  await expect
    .poll(() => cloud.invocations)
    .toMatchObject([
      {
        payload: { source: 'aws.events', 'detail-type': 'Scheduled Event', resources: [ruleArn], detail: {} },
      },
    ]);
  const { time } = cloud;
  cloud = cloud.reopened();
  cloud.time = time + 30_000;
  cloud.every = (_every, _name, task) => {
    ticks.splice(0, ticks.length, () => void task());
    return () => undefined;
  };
  events = createEvents(cloud, { chaos: '' });
  await events.deploy?.([scheduled()]);
  await events.start?.();
  await tick();
  expect(cloud.invocations).toHaveLength(0);
  cloud.time += 600_000;
  await tick();
  await expect.poll(() => cloud.invocations).toHaveLength(1);
});

test('PutEvents takes ten entries of other sources than AWS', async () => {
  await events.deploy?.([rule({ EventPattern: { source: ['mine'] } })]);
  const entry = { Source: 'mine', DetailType: 'Happened', Detail: '{"n":1}' };
  const put = (Entries: object[]) => call(cloud, events, 'PutEvents', { Entries });
  expect(await put([entry, { ...entry, Source: 'aws.batch' }, { ...entry, Detail: '[]' }])).toMatchObject({
    FailedEntryCount: 2,
    Entries: [
      { EventId: expect.any(String) },
      { ErrorCode: 'NotAuthorizedForSourceException' },
      { ErrorCode: 'MalformedDetail' },
    ],
  });
  expect(left()).toBe(1);
  await expect(put(Array.from({ length: 11 }, () => entry))).rejects.toMatchObject({
    code: 'ValidationException',
  });
  const large = { ...entry, Detail: JSON.stringify({ text: 'x'.repeat(262_144) }) };
  await expect(put([large])).rejects.toMatchObject({ code: 'ValidationException' });
});
