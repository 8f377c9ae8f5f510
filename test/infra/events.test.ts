import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { evaluatePolicy, parsePolicy } from '../../local/iam/policy.ts';
import { synthesize } from './synthesized.ts';

const { ofType, find } = synthesize();
const queues = new Map(ofType('AWS::SQS::Queue').map((one) => [one.attributes.Arn, one]));
const functions = new Map(ofType('AWS::Lambda::Function').map((one) => [one.attributes.Arn, one]));
const alarms = ofType('AWS::CloudWatch::Alarm');

/** Everything that invokes a function without waiting for it. */
const edges = [
  ...ofType('AWS::Events::Rule').flatMap((rule) =>
    rule.properties.Targets.map((target: object) => ({
      name: rule.properties.Name,
      target,
      role: undefined,
    })),
  ),
  ...ofType('AWS::Scheduler::Schedule').map(({ properties }) => ({
    name: properties.Name,
    target: properties.Target,
    role: properties.Target.RoleArn,
  })),
];

describe.each(edges)('the asynchronous edge $name', ({ target, name, role }) => {
  test('retries, and leaves what could not be delivered in a queue that it may write to', () => {
    expect(target.RetryPolicy.MaximumRetryAttempts).toBeGreaterThan(0);
    const queue = queues.get(target.DeadLetterConfig.Arn);
    expect(queue, name).toBeDefined();
    const request = { action: 'sqs:SendMessage', resource: target.DeadLetterConfig.Arn };
    if (role) {
      expect(allows(roleStatements(role), request)).toBe(true);
      return;
    }
    const policy = ofType('AWS::SQS::QueuePolicy').find((one) =>
      one.properties.Queues.includes(queue?.physicalId),
    );
    const fromEvents = policy?.properties.PolicyDocument.Statement.filter(
      (one: { Principal: { Service?: string } }) => one.Principal.Service === 'events.amazonaws.com',
    );
    expect(fromEvents).toHaveLength(1);
  });

  test('what its function failed on is left in a queue too, which the function may write to', () => {
    const one = functions.get(target.Arn);
    const queue = one?.properties.DeadLetterConfig?.TargetArn;
    expect(queues.has(queue)).toBe(true);
    expect(allows(roleStatements(one?.properties.Role), { action: 'sqs:SendMessage', resource: queue })).toBe(
      true,
    );
  });

  test('an alarm with a name rings at the first letter', () => {
    const queue = queues.get(target.DeadLetterConfig.Arn);
    const [alarm] = alarms.filter(({ properties }) =>
      properties.Dimensions?.some((one: { Value: string }) => one.Value === queue?.attributes.QueueName),
    );
    expect(alarm?.properties).toMatchObject({
      AlarmName: queue?.physicalId,
      Threshold: 0,
      ComparisonOperator: 'GreaterThanThreshold',
      AlarmActions: [find('AWS::SNS::Topic').physicalId],
    });
  });
});

test('the edges are: builds, jobs, and the reconciler every minute', () => {
  expect(edges.map((one) => one.name)).toEqual([
    'slipway-example-build-changes',
    'slipway-example-job-changes',
    'slipway-example-reconcile',
  ]);
  expect(find('AWS::Scheduler::Schedule').properties.ScheduleExpression).toBe('rate(1 minute)');
});

test("B3, B7 the builds' rule takes states and phases of this stage's project only", () => {
  expect(find('AWS::Events::Rule', 'BuildChanges').properties.EventPattern).toEqual({
    source: ['aws.codebuild'],
    'detail-type': ['CodeBuild Build State Change', 'CodeBuild Build Phase Change'],
    detail: { 'project-name': [find('AWS::CodeBuild::Project').properties.Name] },
  });
});

test("E1, E15 the jobs' rule takes states and blocked queues of this stage's queues", () => {
  const { EventPattern } = find('AWS::Events::Rule', 'JobChanges').properties;
  expect(EventPattern['detail-type']).toEqual(['Batch Job State Change', 'Batch Job Queue Blocked']);
  const [{ prefix }] = EventPattern.detail.jobQueue;
  for (const queue of ofType('AWS::Batch::JobQueue'))
    expect(`arn:aws:batch:eu-west-1:111122223333:job-queue/${queue.physicalId}`.startsWith(prefix)).toBe(
      true,
    );
});

test('the runbook says what to do about each alarm', () => {
  const runbook = readFileSync('docs/runbook.md', 'utf8');
  for (const { properties } of alarms)
    expect(runbook).toContain(`\`…${properties.AlarmName.replace('slipway-example', '')}\``);
});

test('alarms reach the topic: its policy lets CloudWatch publish', () => {
  const { PolicyDocument } = find('AWS::SNS::TopicPolicy').properties;
  expect(PolicyDocument.Statement).toContainEqual(
    expect.objectContaining({
      Effect: 'Allow',
      Action: 'sns:Publish',
      Principal: { Service: 'cloudwatch.amazonaws.com' },
    }),
  );
  for (const { properties } of alarms) {
    expect(properties.AlarmName).toMatch(/^slipway-example-/);
    expect(properties.AlarmDescription).toContain('docs/runbook.md');
  }
});

function roleStatements(arn: string) {
  const role = ofType('AWS::IAM::Role').find((one) => one.attributes.Arn === arn);
  return (role?.properties.Policies ?? []).flatMap((policy: { PolicyDocument: unknown }) =>
    parsePolicy(policy.PolicyDocument, arn),
  );
}

function allows(
  statements: Parameters<typeof evaluatePolicy>[0],
  request: { action: string; resource: string },
) {
  return evaluatePolicy(statements, { ...request, context: {} }) === 'Allow';
}
