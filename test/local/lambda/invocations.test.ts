/** How invocations are asked for: types, names, payloads. The function leaves a file for every run. */
import { readdirSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  GetFunctionCommand,
  InvokeCommand,
  LambdaClient,
  ListFunctionsCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { functionRole, temporaryFolder } from '../assembly.ts';
import { type EmbeddedCloud, startEmbeddedCloud } from '../embedded-cloud.ts';
import { lambdaFunction } from '../http-api.ts';

const traces = temporaryFolder();
const tracer = `
import { writeFileSync } from 'node:fs';
export const handler = async (event, context) => {
  writeFileSync(process.env.TRACES + '/' + context.awsRequestId, JSON.stringify(event));
  return { event };
};`;

let cloud: EmbeddedCloud;
let lambda: LambdaClient;
beforeAll(async () => {
  const may = (resource: string) => ({
    Effect: 'Allow',
    Action: 'lambda:InvokeFunction',
    Resource: `arn:aws:lambda:us-east-1:000000000000:function:${resource}`,
  });
  const caller = functionRole(may('tracer'));
  cloud = await startEmbeddedCloud({
    functions: { tracer },
    stacks: {
      main: {
        Resources: {
          FunctionRole: functionRole(),
          CallerRole: { ...caller, Properties: { ...caller.Properties, RoleName: 'caller' } },
          Tracer: lambdaFunction('tracer', {
            FunctionName: 'tracer',
            Environment: { Variables: { TRACES: traces.path } },
          }),
          Other: lambdaFunction('tracer', { FunctionName: 'other' }),
        },
      },
    },
  });
  lambda = new LambdaClient({ ...cloud.client, maxAttempts: 1 });
});
afterAll(async () => {
  await cloud?.remove();
  traces.remove();
});
beforeEach(() => {
  for (const name of readdirSync(traces.path)) rmSync(`${traces.path}/${name}`);
});

const invoke = (input: Partial<InvokeCommand['input']>, client = lambda) =>
  client.send(new InvokeCommand({ FunctionName: 'tracer', ...input }));
const runs = () => readdirSync(traces.path).length;

test('DryRun answers 204, and nothing runs', async () => {
  const { StatusCode, Payload } = await invoke({ InvocationType: 'DryRun', Payload: '{"a":1}' });
  expect([StatusCode, Payload?.length ?? 0]).toEqual([204, 0]);
  await invoke({});
  expect(runs()).toBe(1);
});

test('DryRun tells whether the caller may, and whether the function is there', async () => {
  const limited = new LambdaClient({ ...cloud.clientOf('caller'), maxAttempts: 1 });
  const dry = { InvocationType: 'DryRun' } as const;
  expect((await invoke(dry, limited)).StatusCode).toBe(204);
  await expect(invoke({ ...dry, FunctionName: 'other' }, limited)).rejects.toMatchObject({
    name: 'AccessDeniedException',
  });
  await expect(invoke({ ...dry, FunctionName: 'missing' })).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  });
});

test('Event answers 202 and runs in its own time', async () => {
  const { StatusCode, Payload } = await invoke({ InvocationType: 'Event', Payload: '{"a":1}' });
  expect([StatusCode, Payload?.length ?? 0]).toEqual([202, 0]);
  await expect.poll(runs).toBe(1);
});

test.each([
  ['a word', 'hello'],
  ['half an object', '{"a":'],
  ['two values', '{} {}'],
  ['single quotes', "{'a': 1}"],
  ['no UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22])],
])('a payload that is no JSON is refused, whatever the type: %s', async (_, Payload) => {
  for (const InvocationType of ['RequestResponse', 'Event', 'DryRun'] as const)
    await expect(invoke({ InvocationType, Payload })).rejects.toMatchObject({
      name: 'InvalidRequestContentException',
      message: expect.stringMatching(/^Could not parse request body into json: /),
    });
  await sleep(1200);
  expect(runs()).toBe(0);
});

test.each([
  ['nothing', undefined, {}],
  ['a number', '7', 7],
  ['null', 'null', null],
  ['a text with spaces around', ' "ü" \n', 'ü'],
])('a payload of %s is an event', async (_, Payload, event) => {
  const { Payload: answer } = await invoke(Payload === undefined ? {} : { Payload });
  expect(JSON.parse(Buffer.from(answer ?? []).toString())).toEqual({ event });
});

const arn = 'arn:aws:lambda:us-east-1:000000000000:function:tracer';
test.each([
  ['its ARN', { FunctionName: arn }],
  ['part of its ARN', { FunctionName: '000000000000:function:tracer' }],
  ['the latest version', { Qualifier: '$LATEST' }],
  ['the latest version in its name', { FunctionName: 'tracer:$LATEST' }],
])('is found by %s', async (_, input) => {
  expect((await invoke(input)).StatusCode).toBe(200);
});

test.each<[string, Partial<InvokeCommand['input']>, string, string]>([
  ['a version', { Qualifier: '1' }, 'ResourceNotFoundException', `Function not found: ${arn}:1`],
  ['an alias', { FunctionName: `${arn}:live` }, 'ResourceNotFoundException', `not found: ${arn}:live`],
  [
    'two qualifiers',
    { FunctionName: 'tracer:1', Qualifier: '2' },
    'InvalidParameterValueException',
    'derived',
  ],
  [
    'another region',
    { FunctionName: arn.replace('us-east-1', 'eu-west-1') },
    'ResourceNotFoundException',
    'reach',
  ],
  [
    'another account',
    { FunctionName: arn.replace('000000000000', '111122223333') },
    'ResourceNotFoundException',
    '1111',
  ],
  ['what is no name', { FunctionName: 'a b' }, 'ValidationException', "Value 'a b' at 'functionName'"],
  ['an unknown type', { InvocationType: 'Later' as 'Event' }, 'ValidationException', 'enum value set'],
  ['the log of a run', { LogType: 'Tail' }, 'UnsupportedOperation', 'Tail'],
])('%s is refused, and nothing runs', async (_, input, name, message) => {
  await expect(invoke(input)).rejects.toMatchObject({ name, message: expect.stringContaining(message) });
  expect(runs()).toBe(0);
});

test('functions are listed in pages, and each can be looked at', async () => {
  const first = await lambda.send(new ListFunctionsCommand({ MaxItems: 1 }));
  expect(first.Functions?.map((one) => one.FunctionName)).toEqual(['other']);
  const next = await lambda.send(new ListFunctionsCommand({ Marker: first.NextMarker }));
  expect(next.Functions?.map((one) => one.FunctionName)).toEqual(['tracer']);
  expect(next.NextMarker).toBeUndefined();
  for (const Marker of ['zz', 'first', Buffer.from('functions').toString('base64url').slice(1)])
    await expect(lambda.send(new ListFunctionsCommand({ Marker }))).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
    });
  const { Configuration } = await lambda.send(new GetFunctionCommand({ FunctionName: 'tracer' }));
  expect(Configuration?.FunctionArn).toBe(arn);
});
