import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterEach, describe, expect, test } from 'vitest';
import type { Batch } from '../../../local/batch/batch.ts';
import type { Service } from '../../../local/platform.ts';
import { createStepFunctions } from '../../../local/step-functions/step-functions.ts';
import { type CloudWithEndpoint, createCloudWithEndpoint } from '../cloud-with-endpoint.ts';

const machineArn = 'arn:aws:states:us-east-1:000000000000:stateMachine:flow';
const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:work';
const role = 'arn:aws:iam::000000000000:role/flow';

/** These flows run no jobs. */
const noBatch: Batch = {
  signingName: 'batch',
  submit: () => {
    throw new Error('No job is expected');
  },
  ended: () => Promise.reject(new Error('No job is expected')),
  describe: () => undefined,
  terminate: () => {},
};

const invoke = (payload: object, more: object) => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  Parameters: { FunctionName: functionArn, Payload: payload },
  ResultSelector: { 'value.$': '$.Payload' },
  ...more,
});

let cloud: CloudWithEndpoint;
afterEach(() => cloud.close());

async function open(definition: object, home?: string): Promise<Service> {
  cloud = await createCloudWithEndpoint(home);
  const service = createStepFunctions(cloud, { batch: noBatch });
  cloud.serve(service);
  await service.deploy?.([
    {
      stack: 's',
      logicalId: 'Flow',
      type: 'AWS::StepFunctions::StateMachine',
      properties: { RoleArn: role, Definition: definition },
      physicalId: machineArn,
      attributes: {},
    },
  ]);
  return service;
}
const start = async (input: unknown = {}) => {
  await new SFNClient(cloud.client()).send(
    new StartExecutionCommand({ stateMachineArn: machineArn, name: 'one', input: JSON.stringify(input) }),
  );
};
const ended = async () => {
  const { detail } = await cloud.event(
    ({ detail: { status } }) => status !== 'RUNNING' && status !== undefined,
  );
  return detail;
};
/** What is on record of an execution's calls. */
const calls = () =>
  cloud.db
    .prepare('SELECT call FROM states_calls')
    .all()
    .map(({ call }) => String(call));

describe('an execution over a restart', () => {
  test('keeps the end of its Wait state', async () => {
    const definition = { StartAt: 'Wait', States: { Wait: { Type: 'Wait', Seconds: 3600, End: true } } };
    const first = await open(definition);
    await first.start?.();
    await start();
    await expect.poll(calls).toEqual([expect.stringContaining('waitUntil')]);
    await first.stop?.();
    expect(cloud.events.filter(({ detail }) => detail.status !== 'RUNNING')).toEqual([]);
    const second = await open(definition, cloud.home);
    // A wait that began anew would take another hour.
    const { steady } = cloud;
    Object.assign(cloud, { steady: () => ({ ...steady(), ms: steady().ms + 3_600_000 }) });
    await second.start?.();
    expect((await ended()).status).toBe('SUCCEEDED');
  });

  test('calls no function again whose answer is on record, not even one that failed', async () => {
    const definition = (IntervalSeconds: number) => ({
      StartAt: 'First',
      States: {
        First: invoke(
          { step: 'first' },
          {
            ResultPath: '$.first',
            Retry: [{ ErrorEquals: ['Again'], IntervalSeconds, MaxAttempts: 1 }],
            Next: 'Second',
          },
        ),
        Second: invoke({ step: 'second', 'first.$': '$.first.value' }, { End: true }),
      },
    });
    const first = await open(definition(1));
    const asked: unknown[] = [];
    cloud.functions.set(functionArn, (payload) => {
      asked.push(payload);
      if (asked.length === 1)
        return { payload: { errorType: 'Again', errorMessage: '' }, functionError: 'Unhandled' };
      return asked.length === 2 ? { payload: 'done' } : new Promise(() => {});
    });
    await first.start?.();
    await start();
    await expect.poll(() => asked).toHaveLength(3);
    await first.stop?.();
    // The pause before the retry is over: it would take an hour now.
    const second = await open(definition(3600), cloud.home);
    const later: unknown[] = [];
    cloud.functions.set(functionArn, (payload) => {
      later.push(payload);
      return { payload: 'also done' };
    });
    await second.start?.();
    expect(await ended()).toMatchObject({
      status: 'SUCCEEDED',
      output: JSON.stringify({ value: 'also done' }),
    });
    expect(later).toEqual([{ step: 'second', first: 'done' }]);
  });

  test('knows the items of a Map state apart', async () => {
    const definition = {
      StartAt: 'Each',
      States: {
        Each: {
          Type: 'Map',
          ItemsPath: '$.items',
          ItemProcessor: {
            StartAt: 'Work',
            States: { Work: invoke({ 'item.$': '$' }, { OutputPath: '$.value', End: true }) },
          },
          End: true,
        },
      },
    };
    const first = await open(definition);
    cloud.functions.set(functionArn, (payload) => {
      const { item } = payload as { item: string };
      return item === 'slow' ? new Promise(() => {}) : { payload: `${item} 1` };
    });
    await first.start?.();
    await start({ items: ['slow', 'a', 'b'] });
    await expect.poll(() => calls().filter((call) => call.includes('"outcome"'))).toHaveLength(2);
    await first.stop?.();
    const second = await open(definition, cloud.home);
    cloud.functions.set(functionArn, (payload) => ({ payload: `${(payload as { item: string }).item} 2` }));
    await second.start?.();
    expect(JSON.parse(String((await ended()).output))).toEqual(['slow 2', 'a 1', 'b 1']);
  });
});

describe('a state machine is refused at deployment', () => {
  test.each([
    [
      'with an unsupported resource',
      {
        StartAt: 'A',
        States: { A: { Type: 'Task', Resource: 'arn:aws:states:::sqs:sendMessage', End: true } },
      },
      'A: the embedded cloud does not support the resource arn:aws:states:::sqs:sendMessage',
    ],
    [
      'in JSONata',
      { QueryLanguage: 'JSONata', StartAt: 'A', States: { A: { Type: 'Pass', End: true } } },
      'JSONPath',
    ],
  ])('%s', async (_, definition, message) => {
    await expect(open(definition)).rejects.toThrow(message);
  });

  test('when its role may not make the rule by which jobs are followed', async () => {
    const service = await open({
      StartAt: 'A',
      States: {
        A: { Type: 'Task', Resource: 'arn:aws:states:::batch:submitJob.sync', Parameters: {}, End: true },
      },
    });
    cloud.denied.add(`${role} events:PutRule`);
    await expect(service.start?.()).rejects.toThrow(/is not authorized to create managed-rule/);
  });
});
