import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { GetFunctionConfigurationCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { functionRole } from '../assembly.ts';
import { type EmbeddedCloud, startEmbeddedCloud } from '../embedded-cloud.ts';
import { lambdaFunction } from '../http-api.ts';

const probe = `
import { randomUUID } from 'node:crypto';
const instance = randomUUID();
let ticks = 0;
setInterval(() => { ticks += 1; }, 5);
export const handler = async (event, context) => {
  if (event.log) console.log('line one\\nline two', event.log);
  if (event.sleepMs) await new Promise((resolve) => setTimeout(resolve, event.sleepMs));
  if (event.throw) throw new TypeError(event.throw);
  if (event.exit !== undefined) process.exit(event.exit);
  if (event.answerBytes) return 'x'.repeat(event.answerBytes);
  if (event.eatMiB) {
    globalThis.hoard = Array.from({ length: event.eatMiB }, () => Buffer.alloc(1024 * 1024, 1));
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  }
  return { instance, ticks, pid: process.pid, environment: process.env, remainingMs: context.getRemainingTimeInMillis(),
    requestId: context.awsRequestId };
};`;

let cloud: EmbeddedCloud;
let lambda: LambdaClient;

beforeAll(async () => {
  cloud = await startEmbeddedCloud({
    functions: {
      probe,
      broken: `throw new SyntaxError('cannot load');`,
      callback: `export const handler = (event, context, done) => done(null, 1);`,
    },
    stacks: {
      main: {
        Resources: {
          FunctionRole: functionRole(),
          SilentRole: {
            Type: 'AWS::IAM::Role',
            Properties: {
              AssumeRolePolicyDocument: {
                Statement: [
                  {
                    Effect: 'Allow',
                    Principal: { Service: 'lambda.amazonaws.com' },
                    Action: 'sts:AssumeRole',
                  },
                ],
              },
            },
          },
          CallerRole: {
            ...functionRole(),
            Properties: { ...functionRole().Properties, RoleName: 'caller' },
          },
          Probe: lambdaFunction('probe', { Timeout: 30, Environment: { Variables: { COLOUR: 'blue' } } }),
          Brief: lambdaFunction('probe', { FunctionName: 'brief', Timeout: 2 }),
          Broken: lambdaFunction('broken'),
          Callback: lambdaFunction('callback'),
          Untrusted: lambdaFunction('probe', {
            FunctionName: 'untrusted',
            Role: 'arn:aws:iam::000000000000:role/nobody',
          }),
          Silent: lambdaFunction('probe', {
            FunctionName: 'silent',
            Role: { 'Fn::GetAtt': ['SilentRole', 'Arn'] },
          }),
        },
      },
    },
  });
  lambda = new LambdaClient(cloud.client);
});

afterAll(async () => {
  lambda?.destroy();
  await cloud?.remove();
});

async function invoke(name: string, event: object = {}) {
  const { Payload, FunctionError } = await lambda.send(
    new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(event) }),
  );
  return { error: FunctionError, result: JSON.parse(Buffer.from(Payload ?? []).toString()) };
}

describe('environments', () => {
  test('get what Lambda sets, and nothing of this process', async () => {
    const { result } = await invoke('probe');
    expect(result.environment).toMatchObject({
      COLOUR: 'blue',
      AWS_REGION: 'us-east-1',
      AWS_LAMBDA_FUNCTION_NAME: 'probe',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
      AWS_ENDPOINT_URL: cloud.endpointUrl,
      _HANDLER: 'index.handler',
    });
    expect(result.environment.AWS_SESSION_TOKEN).toBeTruthy();
    expect(result.environment).not.toHaveProperty('HOME');
    expect(result.remainingMs).toBeLessThanOrEqual(30_000);
  });

  test('are told to whoever may read the configuration', async () => {
    const found = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'probe' }));
    expect(found.Environment?.Variables).toEqual({ COLOUR: 'blue' });
    const missing = lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'nobody' }));
    await expect(missing).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test('are kept for the next invocation and frozen in between', async () => {
    const first = await invoke('probe');
    const state = () => readFileSync(`/proc/${first.result.pid}/stat`, 'utf8').split(') ')[1]?.[0];
    await expect.poll(state).toBe('T');
    await sleep(2000);
    const second = await invoke('probe');
    expect(second.result.instance).toBe(first.result.instance);
    // Four hundred ticks would have passed unfrozen.
    expect(second.result.ticks - first.result.ticks).toBeLessThan(200);
    expect(second.result.requestId).not.toBe(first.result.requestId);
  });

  test('run one invocation at a time: two at once get two', async () => {
    const both = await Promise.all([invoke('probe', { sleepMs: 2000 }), invoke('probe', { sleepMs: 2000 })]);
    expect(new Set(both.map(({ result }) => result.instance)).size).toBe(2);
  });

  test('need a role that trusts Lambda', async () => {
    const { error, result } = await invoke('untrusted');
    expect(error).toBe('Unhandled');
    expect(result.errorMessage).toContain('not authorized to assume role');
  });
});

describe('failures', () => {
  test('a thrown error keeps its type, and the environment goes on', async () => {
    const { error, result } = await invoke('probe', { throw: 'oh no' });
    expect({ error, ...result }).toMatchObject({
      error: 'Unhandled',
      errorType: 'TypeError',
      errorMessage: 'oh no',
    });
  });

  test('a task beyond its timeout ends, and so does its environment', async () => {
    const before = await invoke('brief');
    const { error, result } = await invoke('brief', { sleepMs: 20_000 });
    const after = await invoke('brief');
    expect(error).toBe('Unhandled');
    expect(result.errorMessage).toMatch(/Task timed out after 2\.00 seconds/);
    expect(after.result.instance).not.toBe(before.result.instance);
  });

  test('a process that exits is Runtime.ExitError', async () => {
    expect((await invoke('probe', { exit: 0 })).result.errorType).toBe('Runtime.ExitError');
  });

  test('memory beyond the limit ends the environment', async () => {
    const { result } = await invoke('probe', { eatMiB: 400 });
    expect(result.errorType).toBe('Runtime.OutOfMemory');
  });

  test('code that does not load says why', async () => {
    expect((await invoke('broken')).result).toMatchObject({
      errorType: 'SyntaxError',
      errorMessage: 'cannot load',
    });
  });

  test('callback handlers are refused as by the Node.js 24 runtime', async () => {
    expect((await invoke('callback')).result.errorType).toBe('Runtime.CallbackHandlerDeprecated');
  });
});

describe('limits', () => {
  test('an answer above 6 MB is Function.ResponseSizeTooLarge', async () => {
    const { error, result } = await invoke('probe', { answerBytes: 6_291_556 });
    expect({ error, type: result.errorType }).toEqual({
      error: 'Unhandled',
      type: 'Function.ResponseSizeTooLarge',
    });
  });

  test('an event above 6 MB is RequestTooLargeException', async () => {
    const sent = invoke('probe', { filler: 'x'.repeat(6 * 1024 * 1024) });
    await expect(sent).rejects.toMatchObject({ name: 'RequestTooLargeException' });
  });

  test('an asynchronous event above 1 MB is RequestTooLargeException', async () => {
    const sent = lambda.send(
      new InvokeCommand({
        FunctionName: 'probe',
        InvocationType: 'Event',
        Payload: JSON.stringify({ filler: 'x'.repeat(1024 * 1024) }),
      }),
    );
    await expect(sent).rejects.toMatchObject({ name: 'RequestTooLargeException' });
  });

  test('an environment above 4 KB stops the start with what Lambda says', async () => {
    const start = startEmbeddedCloud({
      functions: { probe },
      stacks: {
        main: {
          Resources: {
            FunctionRole: functionRole(),
            Probe: lambdaFunction('probe', { Environment: { Variables: { LARGE: 'x'.repeat(4096) } } }),
          },
        },
      },
    });
    await expect(start).rejects.toThrow(/exceeded the 4KB limit/);
  });

  test('reserved variables stop the start', async () => {
    const start = startEmbeddedCloud({
      functions: { probe },
      stacks: {
        main: {
          Resources: {
            FunctionRole: functionRole(),
            Probe: lambdaFunction('probe', { Environment: { Variables: { AWS_REGION: 'x' } } }),
          },
        },
      },
    });
    await expect(start).rejects.toThrow(/reserved keys.*AWS_REGION/);
  });
});

test('an unknown function is ResourceNotFoundException', async () => {
  await expect(invoke('nothing')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});

test('a role without lambda:InvokeFunction is refused', async () => {
  const other = new LambdaClient(cloud.clientOf('caller'));
  const sent = other.send(new InvokeCommand({ FunctionName: 'probe' }));
  await expect(sent).rejects.toMatchObject({ name: 'AccessDeniedException' });
  other.destroy();
});

describe('logs', () => {
  const logs = () => new CloudWatchLogsClient(cloud.client);

  async function events(group: string, pattern: string) {
    const client = logs();
    try {
      const { events = [] } = await client.send(
        new FilterLogEventsCommand({ logGroupName: group, filterPattern: pattern }),
      );
      return events.map(({ message }) => message ?? '');
    } finally {
      client.destroy();
    }
  }

  test('a console call is one event, however many lines it has', async () => {
    await invoke('probe', { log: 'marker' });
    await expect.poll(() => events('/aws/lambda/probe', 'marker')).toHaveLength(1);
    const [message] = await events('/aws/lambda/probe', 'marker');
    expect(message).toMatch(/^\d{4}-.*\tINFO\tline one\nline two marker$/);
  });

  test('a role that may not write logs runs unseen', async () => {
    const { error } = await invoke('silent', { log: 'quiet' });
    expect(error).toBeUndefined();
    await sleep(300);
    await expect(events('/aws/lambda/silent', 'quiet')).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });
});
