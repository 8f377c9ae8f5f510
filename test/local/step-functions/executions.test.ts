import {
  DescribeExecutionCommand,
  ListExecutionsCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { InvocationResult } from '../../../local/platform.ts';
import { createStepFunctions } from '../../../local/step-functions/step-functions.ts';
import { batchPlace, queue, shell } from '../batch/place.ts';

const machineArn = (name: string) => `arn:aws:states:us-east-1:000000000000:stateMachine:${name}`;
const role = 'arn:aws:iam::000000000000:role/state-machine';
const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:launcher';

const task = (resource: string, parameters: object, more: object) => ({
  Type: 'Task',
  Resource: `arn:aws:states:::${resource}`,
  Parameters: parameters,
  ...more,
});
const invoke = (more: object, payload: object = { 'input.$': '$' }) =>
  task('lambda:invoke', { FunctionName: functionArn, Payload: payload }, more);
const runJob = (definition: string, more: object) =>
  task(
    'batch:submitJob.sync',
    { JobName: 'job', JobQueue: queue, JobDefinition: definition, Tags: { 'slipway:key': 'v' } },
    more,
  );

let place: Awaited<ReturnType<typeof batchPlace>>;
let client: SFNClient;
const definitions: Record<string, object> = {};

beforeAll(async () => {
  place = await batchPlace();
  client = new SFNClient({ ...place.cloud.client(), maxAttempts: 1 });
  const good = await place.register(shell('echo hello'), { jobDefinitionName: 'good' });
  const bad = await place.register(shell('exit 3'), { jobDefinitionName: 'bad' });
  const long = await place.register(shell('exec sleep 60'), { jobDefinitionName: 'long' });
  const caught = { Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Caught' }] };
  Object.assign(definitions, {
    function: {
      StartAt: 'Invoke',
      States: { Invoke: invoke({ ResultSelector: { 'answer.$': '$.Payload' }, End: true }) },
    },
    retried: {
      StartAt: 'Invoke',
      States: {
        Invoke: invoke({
          Retry: [{ ErrorEquals: ['TryAgain'], IntervalSeconds: 1, MaxAttempts: 2, BackoffRate: 1 }],
          ...caught,
          End: true,
        }),
        Caught: { Type: 'Pass', End: true },
      },
    },
    job: { StartAt: 'Run', States: { Run: runJob(good, { End: true }) } },
    failingJob: {
      StartAt: 'Run',
      States: { Run: runJob(bad, { ...caught, End: true }), Caught: { Type: 'Pass', End: true } },
    },
    unknownJob: {
      StartAt: 'Run',
      States: { Run: runJob('nothing', { ...caught, End: true }), Caught: { Type: 'Pass', End: true } },
    },
    longJob: { StartAt: 'Run', States: { Run: runJob(long, { End: true }) } },
    limitedJob: {
      StartAt: 'Run',
      States: {
        Run: runJob(long, { TimeoutSeconds: 2, ...caught, End: true }),
        Caught: { Type: 'Pass', End: true },
      },
    },
    waits: {
      StartAt: 'Wait',
      States: { Wait: { Type: 'Wait', SecondsPath: '$.seconds', Next: 'Done' }, Done: { Type: 'Succeed' } },
    },
    limited: {
      TimeoutSeconds: 1,
      StartAt: 'Wait',
      States: { Wait: { Type: 'Wait', Seconds: 60, End: true } },
    },
    fails: { StartAt: 'Fail', States: { Fail: { Type: 'Fail', Error: 'Broken', Cause: 'because' } } },
  });
  const service = createStepFunctions(place.cloud, { batch: place.batch });
  place.cloud.serve(service);
  await service.deploy?.(
    Object.entries(definitions).map(([name, definition]) => ({
      stack: 's',
      logicalId: name,
      type: 'AWS::StepFunctions::StateMachine',
      properties: { RoleArn: role, DefinitionString: JSON.stringify(definition) },
      physicalId: machineArn(name),
      attributes: {},
    })),
  );
  await service.start?.();
});
afterAll(() => place.cloud.close());

const start = async (machine: string, input: unknown = {}, name?: string) => {
  const { executionArn = '' } = await client.send(
    new StartExecutionCommand({
      stateMachineArn: machineArn(machine),
      input: JSON.stringify(input),
      ...(name && { name }),
    }),
  );
  return executionArn;
};
const describeExecution = (executionArn: string) =>
  client.send(new DescribeExecutionCommand({ executionArn }));
const finish = async (executionArn: string) => {
  await place.cloud.event(
    ({ 'detail-type': type, detail }) =>
      type === 'Step Functions Execution Status Change' &&
      detail.executionArn === executionArn &&
      detail.status !== 'RUNNING',
  );
  return describeExecution(executionArn);
};
const run = async (machine: string, input?: unknown) => finish(await start(machine, input));

describe('Step Functions', () => {
  test("E1 invokes a function with the role's rights and gives its answer on", async () => {
    place.cloud.functions.set(functionArn, (payload) => ({ payload: { echoed: payload } }));
    expect(await run('function', { a: 1 })).toMatchObject({
      status: 'SUCCEEDED',
      output: JSON.stringify({ answer: { echoed: { input: { a: 1 } } } }),
    });
    place.cloud.denied.add(`${role} lambda:InvokeFunction`);
    const refused = await run('function');
    place.cloud.denied.clear();
    expect(refused).toMatchObject({ status: 'FAILED', error: 'Lambda.AWSLambdaException' });
    expect(refused.cause).toContain('is not authorized to perform: lambda:InvokeFunction');
  });

  test("E15 a function's error is known by its type, retried where the definition says so, then caught", async () => {
    let calls = 0;
    place.cloud.functions.set(functionArn, () => {
      calls++;
      return { payload: { errorType: 'TryAgain', errorMessage: 'later' }, functionError: 'Unhandled' };
    });
    const { status, output } = await run('retried');
    expect(status).toBe('SUCCEEDED');
    expect(calls).toBe(3);
    expect(JSON.parse(output ?? '')).toEqual({
      error: { Error: 'TryAgain', Cause: JSON.stringify({ errorType: 'TryAgain', errorMessage: 'later' }) },
    });
  });

  test('E1 a job runs to its end and its detail is the result, spelled as Step Functions spells it', async () => {
    const { status, output } = await run('job');
    expect(status).toBe('SUCCEEDED');
    expect(JSON.parse(output ?? '')).toMatchObject({
      JobName: 'job',
      Status: 'SUCCEEDED',
      Container: { ExitCode: 0, Command: ['/bin/sh', '-c', 'echo hello'] },
      Attempts: [{ Container: { ExitCode: 0 } }],
      Tags: { 'slipway:key': 'v' },
    });
  });

  test("E1 a failed job is States.TaskFailed with the job as its cause; a refused submission is Batch's own error", async () => {
    const failed = JSON.parse((await run('failingJob')).output ?? '');
    expect(failed.error.Error).toBe('States.TaskFailed');
    expect(JSON.parse(failed.error.Cause)).toMatchObject({
      Status: 'FAILED',
      Attempts: [{ Container: { ExitCode: 3 } }],
    });
    // Where a long cause is cut, the id of the job is behind what its container was given.
    const at = (member: string) => failed.error.Cause.indexOf(`"${member}":`);
    expect(at('Attempts')).toBeLessThan(at('Container'));
    expect(at('Container')).toBeLessThan(at('JobId'));
    expect(at('Command')).toBeLessThan(at('Environment'));
    const refused = JSON.parse((await run('unknownJob')).output ?? '');
    expect(refused.error.Error).toBe('Batch.ClientException');
  });

  test('a cause ends at 32 KiB', async () => {
    const errorMessage = 'x'.repeat(40_000);
    place.cloud.functions.set(functionArn, () => ({
      payload: { errorType: 'Wordy', errorMessage },
      functionError: 'Unhandled',
    }));
    const { error } = JSON.parse((await run('retried')).output ?? '');
    expect(error.Cause).toBe(JSON.stringify({ errorType: 'Wordy', errorMessage }).slice(0, 32 * 1024));
  });

  test('E16 stopping an execution ends its job', async () => {
    const arn = await start('longJob');
    const running = await place.cloud.event(
      ({ detail }) =>
        detail.jobName === 'job' &&
        detail.status === 'RUNNING' &&
        String(detail.jobDefinition).includes('/long:'),
    );
    await client.send(new StopExecutionCommand({ executionArn: arn, error: 'Stopped', cause: 'by test' }));
    expect(await describeExecution(arn)).toMatchObject({
      status: 'ABORTED',
      error: 'Stopped',
      cause: 'by test',
    });
    await place.reached(String(running.detail.jobId), 'FAILED');
  });

  test('E15 a task beyond its time ends with States.Timeout, and its job ends too', async () => {
    const { output } = await run('limitedJob');
    expect(JSON.parse(output ?? '')).toMatchObject({ error: { Error: 'States.Timeout' } });
    await place.cloud.event(
      ({ detail }) =>
        detail.status === 'FAILED' && detail.statusReason === 'Step Functions execution was aborted',
    );
  });

  test('a Wait state takes its time, an execution beyond its own TimeoutSeconds is TIMED_OUT', async () => {
    const { startDate, stopDate } = await run('waits', { seconds: 1 });
    const milliseconds = (stopDate?.getTime() ?? 0) - (startDate?.getTime() ?? 0);
    expect(milliseconds).toBeGreaterThanOrEqual(1000);
    expect((await run('limited')).status).toBe('TIMED_OUT');
  });

  test('a Fail state gives the execution its error and cause', async () => {
    expect(await run('fails')).toMatchObject({ status: 'FAILED', error: 'Broken', cause: 'because' });
  });

  test('a name is used once: the same request again is the same execution while it runs, later or otherwise ExecutionAlreadyExists', async () => {
    const { promise: answer, resolve: goOn } = Promise.withResolvers<InvocationResult>();
    place.cloud.functions.set(functionArn, () => answer);
    const first = await start('function', { a: 1 }, 'exp_1');
    expect(await start('function', { a: 1 }, 'exp_1')).toBe(first);
    await expect(start('function', { a: 2 }, 'exp_1')).rejects.toMatchObject({
      name: 'ExecutionAlreadyExists',
    });
    goOn({ payload: 'done' });
    await finish(first);
    await expect(start('function', { a: 1 }, 'exp_1')).rejects.toMatchObject({
      name: 'ExecutionAlreadyExists',
    });
    const { executions } = await client.send(
      new ListExecutionsCommand({ stateMachineArn: machineArn('function'), maxResults: 1 }),
    );
    expect(executions).toMatchObject([{ name: 'exp_1', status: 'SUCCEEDED' }]);
  });

  test.each([
    ['a name over 80 characters', { name: 'x'.repeat(81) }, 'ValidationException'],
    ['a name with a space', { name: 'a b' }, 'InvalidName'],
    ['input that is no JSON', { input: '{' }, 'InvalidExecutionInput'],
    ['input over 256 KiB', { input: JSON.stringify('x'.repeat(262_144)) }, 'ValidationException'],
    ['an unknown state machine', { stateMachineArn: machineArn('nothing') }, 'StateMachineDoesNotExist'],
  ])('refuses %s', async (_, input, name) => {
    await expect(
      client.send(new StartExecutionCommand({ stateMachineArn: machineArn('fails'), ...input })),
    ).rejects.toMatchObject({ name });
  });

  test('a task result over 256 KiB ends the execution, States.ALL or not', async () => {
    place.cloud.functions.set(functionArn, () => ({ payload: 'x'.repeat(262_144) }));
    expect(await run('retried')).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
  });
});

describe('what is refused by its form alone', () => {
  test.each([
    ['no ARN', 'foo'],
    ['another service', 'arn:aws:batch:us-east-1:000000000000:execution:one:two'],
    ['a state machine', machineArn('function')],
    ['no name', 'arn:aws:states:us-east-1:000000000000:execution:one'],
  ])('an execution: %s', async (_, executionArn) => {
    for (const command of [
      new DescribeExecutionCommand({ executionArn }),
      new StopExecutionCommand({ executionArn }),
    ])
      await expect(client.send(command as DescribeExecutionCommand)).rejects.toMatchObject({
        name: 'InvalidArn',
      });
  });

  test.each([
    ['no ARN', 'function'],
    ['another service', 'arn:aws:lambda:us-east-1:000000000000:function:one'],
    ['an account of letters', 'arn:aws:states:us-east-1:account:stateMachine:one'],
  ])('a state machine: %s', async (_, stateMachineArn) => {
    for (const command of [
      new StartExecutionCommand({ stateMachineArn }),
      new ListExecutionsCommand({ stateMachineArn }),
    ])
      await expect(client.send(command as StartExecutionCommand)).rejects.toMatchObject({
        name: 'InvalidArn',
      });
  });

  test.each([
    ['a word', 'next'],
    ['a number', Buffer.from('1').toString('base64url')],
    ['of another list', Buffer.from(`${machineArn('job')} 1`).toString('base64url')],
    ['before the beginning', Buffer.from(`${machineArn('function')} -1`).toString('base64url')],
  ])('a token: %s', async (_, nextToken) => {
    const asked = new ListExecutionsCommand({ stateMachineArn: machineArn('function'), nextToken });
    await expect(client.send(asked)).rejects.toMatchObject({ name: 'InvalidToken' });
  });
});
