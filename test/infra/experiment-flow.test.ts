import { StateMachine } from 'aws-local-stepfunctions';
import { expect, test } from 'vitest';
import { evaluatePolicy, parsePolicy } from '../../local/iam/policy.ts';
import { place, synthesize } from './synthesized.ts';

const { find, ofType } = synthesize();
const declared = find('AWS::StepFunctions::StateMachine');
const definition = JSON.parse(declared.properties.DefinitionString);
const launcherArn = find('AWS::Lambda::Function', ' slipway-example-launcher').attributes.Arn;
const input = { organisation: 'acme', experimentId: 'exp_1' };
const submit = {
  jobName: 'exp_1-1',
  jobQueue: 'slipway-example-acme-gpu',
  jobDefinition: 'slipway-example-acme-0a1b',
  shareIdentifier: 'ada',
  timeoutSeconds: 600,
  environment: [{ Name: 'A', Value: 'b' }],
  tags: { 'slipway:experiment': 'exp_1' },
};

class TaskFailed extends Error {
  override name = 'States.TaskFailed';
  override message = '{"Status":"FAILED"}';
}

/** Runs the declared definition; `answers` are the launcher's and Batch's, in the order in which they are asked. */
async function run(answers: { state: string; answer: Record<string, unknown> | Error }[]) {
  const asked: { state: string; parameters: Record<string, unknown> }[] = [];
  const handler = (state: string) => async (parameters: unknown) => {
    asked.push({ state, parameters: parameters as Record<string, unknown> });
    const next = answers.shift();
    if (!next || next.state !== state) throw new Error(`${state} was not expected`);
    if (next.answer instanceof Error) throw next.answer;
    return JSON.parse(JSON.stringify(next.answer));
  };
  const states = ['Prepare', 'Submit', 'Settle', 'SettleError'];
  const machine = new StateMachine(definition, { validationOptions: { checkArn: false } });
  const { result } = machine.run(input, {
    overrides: {
      taskResourceLocalHandlers: Object.fromEntries(states.map((state) => [state, handler(state)])),
      retryIntervalOverrides: Object.fromEntries(states.map((state) => [state, 1])),
    },
  });
  await result;
  return asked;
}

const says = (payload: object) => ({ StatusCode: 200, Payload: payload });

test('E2 prepared, submitted, settled', async () => {
  const asked = await run([
    { state: 'Prepare', answer: says({ next: 'submit', submit }) },
    { state: 'Submit', answer: { JobId: 'job-1', Status: 'SUCCEEDED' } },
    { state: 'Settle', answer: says({ next: 'end' }) },
  ]);
  expect(asked.map((one) => one.parameters)).toEqual([
    { FunctionName: launcherArn, Payload: { action: 'prepare', ...input } },
    {
      JobName: 'exp_1-1',
      JobQueue: submit.jobQueue,
      JobDefinition: submit.jobDefinition,
      ShareIdentifier: 'ada',
      SchedulingPriorityOverride: 1,
      Timeout: { AttemptDurationSeconds: 600 },
      ContainerOverrides: { Environment: submit.environment },
      Tags: submit.tags,
    },
    {
      FunctionName: launcherArn,
      Payload: { action: 'settle', ...input, job: { JobId: 'job-1', Status: 'SUCCEEDED' } },
    },
  ]);
});

test('E15 a failed job is settled, and submitted again where the launcher says so', async () => {
  const second = { ...submit, jobName: 'exp_1-2', jobQueue: 'slipway-example-acme-gpu-on-demand' };
  const asked = await run([
    { state: 'Prepare', answer: says({ next: 'submit', submit }) },
    { state: 'Submit', answer: new TaskFailed() },
    { state: 'SettleError', answer: says({ next: 'submit', submit: second }) },
    { state: 'Submit', answer: { JobId: 'job-2', Status: 'SUCCEEDED' } },
    { state: 'Settle', answer: says({ next: 'end' }) },
  ]);
  expect(asked[2]?.parameters.Payload).toEqual({
    action: 'settle',
    ...input,
    error: { Error: 'States.TaskFailed', Cause: '{"Status":"FAILED"}' },
  });
  expect(asked[3]?.parameters).toMatchObject({ JobName: 'exp_1-2', JobQueue: second.jobQueue });
  // What ended the first attempt is not told again for the second.
  expect(asked[4]?.parameters.Payload).not.toHaveProperty('error');
});

test('nothing to run is the end', async () => {
  expect(await run([{ state: 'Prepare', answer: says({ next: 'end' }) }])).toHaveLength(1);
});

test('E15 a launcher that is throttled, at either task, is asked again', async () => {
  const throttled = () => Object.assign(new Error('Too many requests'), { name: 'TooManyRequestsException' });
  const asked = await run([
    { state: 'Prepare', answer: throttled() },
    { state: 'Prepare', answer: says({ next: 'submit', submit }) },
    { state: 'Submit', answer: { JobId: 'job-1', Status: 'SUCCEEDED' } },
    { state: 'Settle', answer: throttled() },
    { state: 'Settle', answer: says({ next: 'end' }) },
  ]);
  expect(asked.map(({ state }) => state)).toEqual(['Prepare', 'Prepare', 'Submit', 'Settle', 'Settle']);
  for (const state of ['Prepare', 'Settle', 'SettleError'])
    expect(definition.States[state].Retry.at(-1)).toMatchObject({
      ErrorEquals: ['States.ALL'],
      JitterStrategy: 'FULL',
    });
});

test('a launcher that fails while preparing is asked to settle', async () => {
  const asked = await run([
    ...Array.from({ length: 7 }, () => ({ state: 'Prepare', answer: new TaskFailed() })),
    { state: 'SettleError', answer: says({ next: 'end' }) },
  ]);
  expect(asked[7]?.parameters.Payload).toMatchObject({
    action: 'settle',
    error: { Error: 'States.TaskFailed' },
  });
});

test('only errors of submitting are retried, not jobs that failed', () => {
  const [retry] = definition.States.Submit.Retry;
  expect(retry.ErrorEquals.every((name: string) => name.startsWith('Batch.'))).toBe(true);
  expect(definition.States.Submit.Retry).toHaveLength(1);
});

test('it is a standard machine in JSONPath that logs states without their data', () => {
  expect(declared.properties.StateMachineType).toBe('STANDARD');
  expect(definition).not.toHaveProperty('QueryLanguage');
  expect(declared.properties.LoggingConfiguration).toMatchObject({
    Level: 'ALL',
    IncludeExecutionData: false,
  });
  expect(declared.properties.TracingConfiguration).toEqual({ Enabled: true });
});

test('it may do what a synchronous job needs: submit, describe, terminate, and be told by events', () => {
  const role = ofType('AWS::IAM::Role').find((one) => one.attributes.Arn === declared.properties.RoleArn);
  const statements = role?.properties.Policies.flatMap((policy: { PolicyDocument: unknown }) =>
    parsePolicy(policy.PolicyDocument, 'the state machine'),
  );
  const may = (action: string, resource: string) =>
    evaluatePolicy(statements, { action, resource, context: {} }) === 'Allow';
  const batch = (resource: string) => `arn:aws:batch:${place.region}:${place.accountId}:${resource}`;
  const rule = (name: string) => `arn:aws:events:${place.region}:${place.accountId}:rule/${name}`;
  expect(may('batch:SubmitJob', batch(`job-queue/${submit.jobQueue}`))).toBe(true);
  expect(may('batch:SubmitJob', batch(`job-definition/${submit.jobDefinition}:1`))).toBe(true);
  expect(may('batch:SubmitJob', batch('job-queue/somebody-elses'))).toBe(false);
  expect(may('batch:TagResource', batch('job/0a1b'))).toBe(true);
  expect(may('batch:DescribeJobs', '*')).toBe(true);
  expect(may('batch:TerminateJob', batch('job/0a1b'))).toBe(true);
  for (const action of ['events:PutTargets', 'events:PutRule', 'events:DescribeRule']) {
    expect(may(action, rule('StepFunctionsGetEventsForBatchJobsRule'))).toBe(true);
    expect(may(action, rule('another'))).toBe(false);
  }
  expect(may('lambda:InvokeFunction', launcherArn ?? '')).toBe(true);
});
