import { afterEach, beforeEach, expect, test } from 'vitest';
import { AwsError, type DeclaredResource, type Service } from '../../local/platform.ts';
import { createScheduler } from '../../local/scheduler.ts';
import { roleNamed, type TestCloud, testCloud } from './test-cloud.ts';

let cloud: TestCloud;
let scheduler: Service;
const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:reconciler';
const deadLetterArn = 'arn:aws:sqs:us-east-1:000000000000:dead';
const arn = 'arn:aws:scheduler:us-east-1:000000000000:schedule/default/reconciler';
const role = roleNamed('schedule').arn;
const schedule = (properties: object = {}, target: object = {}): DeclaredResource => ({
  stack: 'api',
  logicalId: 'Schedule',
  type: 'AWS::Scheduler::Schedule',
  physicalId: 'reconciler',
  attributes: { Arn: arn },
  properties: {
    ScheduleExpression: 'rate(1 minute)',
    FlexibleTimeWindow: { Mode: 'OFF' },
    Target: {
      Arn: functionArn,
      RoleArn: role,
      DeadLetterConfig: { Arn: deadLetterArn },
      RetryPolicy: { MaximumRetryAttempts: 0 },
      ...target,
    },
    ...properties,
  },
});
const settled = () => new Promise((resolve) => setTimeout(resolve, 80));

beforeEach(() => {
  cloud = testCloud();
  cloud.clockMs = 10;
  scheduler = createScheduler(cloud);
});
afterEach(async () => {
  await scheduler.stop?.();
  cloud.remove();
});

test('a schedule invokes its function as its role, every minute', async () => {
  await scheduler.deploy?.([schedule()]);
  await scheduler.start?.();
  await settled();
  expect(cloud.invocations).toEqual([]);
  for (const count of [1, 2]) {
    cloud.time += 60_000;
    await expect.poll(() => cloud.invocations).toHaveLength(count);
  }
  expect(cloud.authorizations[0]).toMatchObject({
    principal: role,
    action: 'lambda:InvokeFunction',
    resource: functionArn,
  });
  expect(cloud.invocations[0]).toMatchObject({
    functionArn,
    invoker: undefined,
    payload: {
      source: 'aws.scheduler',
      'detail-type': 'Scheduled Event',
      time: '2026-11-20T10:01:00Z',
      resources: [arn],
    },
  });
});

test('the input may name the time and the schedule', async () => {
  const Input = '{"at":"<aws.scheduler.scheduled-time>","of":"<aws.scheduler.schedule-arn>"}';
  await scheduler.deploy?.([schedule({}, { Input })]);
  await scheduler.start?.();
  cloud.time += 60_000;
  await expect
    .poll(() => cloud.invocations.map((one) => one.payload))
    .toEqual([{ at: '2026-11-20T10:01:00Z', of: arn }]);
});

test('a role without the permission leaves a dead letter, which needs its own', async () => {
  cloud.deny = ({ action }) => action === 'lambda:InvokeFunction';
  await scheduler.deploy?.([schedule()]);
  await scheduler.start?.();
  cloud.time += 60_000;
  await expect
    .poll(() => cloud.queued)
    .toMatchObject([{ queueArn: deadLetterArn, attributes: { ERROR_CODE: 'NO_PERMISSIONS' } }]);
  expect(cloud.authorizations.at(-1)).toMatchObject({
    principal: role,
    action: 'sqs:SendMessage',
    resource: deadLetterArn,
  });
  cloud.deny = () => true;
  cloud.time += 60_000;
  await expect.poll(() => cloud.logged.at(-1)).toMatch(/its dead-letter queue refused it/);
  expect(cloud.queued).toHaveLength(1);
});

test('a role that Scheduler may not assume invokes nothing', async () => {
  cloud.issueCredentials = () => {
    throw new AwsError('AccessDeniedException', 'scheduler.amazonaws.com is not authorized to assume role');
  };
  await scheduler.deploy?.([schedule()]);
  await scheduler.start?.();
  cloud.time += 60_000;
  await expect.poll(() => cloud.logged).toEqual([expect.stringMatching(/not authorized to assume/)]);
  expect(cloud.invocations).toEqual([]);
});

test('start and end bound a schedule; a disabled one rests', async () => {
  const bounds = { StartDate: '2026-11-20T10:05:00Z', EndDate: '2026-11-20T10:06:00Z' };
  await scheduler.deploy?.([schedule(bounds)]);
  await scheduler.start?.();
  for (let minute = 0; minute < 12; minute += 1) {
    cloud.time += 60_000;
    await settled();
  }
  expect(cloud.invocations.map((one) => (one.payload as { time: string }).time)).toEqual([
    '2026-11-20T10:05:00Z',
    '2026-11-20T10:06:00Z',
  ]);
  await scheduler.deploy?.([schedule({ State: 'DISABLED' })]);
  cloud.time += 600_000;
  await settled();
  expect(cloud.invocations).toHaveLength(2);
});

test('what cannot work is refused when it is deployed', async () => {
  await expect(scheduler.deploy?.([schedule({ ScheduleExpression: 'rate(1 minutes)' })])).rejects.toThrow(
    /singular/,
  );
  await expect(scheduler.deploy?.([schedule({}, { RoleArn: undefined })])).rejects.toThrow(/RoleArn/);
  await expect(
    scheduler.deploy?.([schedule({}, { Arn: 'arn:aws:scheduler:::aws-sdk:ecs:runTask' })]),
  ).rejects.toThrow(/target/);
});
