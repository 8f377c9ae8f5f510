import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { functionRole, temporaryFolder } from '../assembly.ts';
import { type EmbeddedCloud, startEmbeddedCloud } from '../embedded-cloud.ts';
import { lambdaFunction } from '../http-api.ts';
import { signedCall } from '../signed-call.ts';

const folder = temporaryFolder();
const tries = (name: string) => {
  const file = join(folder.path, name);
  return existsSync(file) ? readFileSync(file, 'utf8').length : 0;
};

let cloud: EmbeddedCloud;
let lambda: LambdaClient;

beforeAll(async () => {
  const queue = (QueueName: string) => ({ Type: 'AWS::SQS::Queue', Properties: { QueueName } });
  const arn = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });
  const destination = (id: string, retries: number) => ({
    Type: 'AWS::Lambda::EventInvokeConfig',
    Properties: {
      FunctionName: { Ref: id },
      Qualifier: '$LATEST',
      MaximumRetryAttempts: retries,
      DestinationConfig: { OnFailure: { Destination: arn('Lost') } },
    },
  });
  cloud = await startEmbeddedCloud(
    {
      functions: {
        flaky: `import { appendFileSync } from 'node:fs';
          const count = {};
          export const handler = async ({ name, failures }) => {
            appendFileSync(${JSON.stringify(`${folder.path}/`)} + name, '.');
            count[name] = (count[name] ?? 0) + 1;
            if (count[name] <= failures) throw new Error('failure ' + count[name]);
          };`,
      },
      stacks: {
        main: {
          Resources: {
            FunctionRole: functionRole({ Effect: 'Allow', Action: 'sqs:SendMessage', Resource: arn('Lost') }),
            Lost: queue('lost'),
            Forbidden: queue('forbidden'),
            Flaky: lambdaFunction('flaky', { DeadLetterConfig: { TargetArn: arn('Lost') } }),
            Once: lambdaFunction('flaky', { FunctionName: 'once' }),
            OnceDestination: destination('Once', 0),
            Closed: lambdaFunction('flaky', {
              FunctionName: 'closed',
              DeadLetterConfig: { TargetArn: arn('Forbidden') },
            }),
          },
        },
      },
    },
    { lambda: { retryDelaysMs: [10, 20] } },
  );
  lambda = new LambdaClient(cloud.client);
});

afterAll(async () => {
  lambda?.destroy();
  await cloud?.remove();
  folder.remove();
});

async function send(functionName: string, event: object): Promise<void> {
  const { StatusCode } = await lambda.send(
    new InvokeCommand({
      FunctionName: functionName,
      InvocationType: 'Event',
      Payload: JSON.stringify(event),
    }),
  );
  expect(StatusCode).toBe(202);
}

async function lost(): Promise<string[]> {
  const { output } = await signedCall(cloud.client, 'sqs', 'AmazonSQS.ReceiveMessage', {
    QueueUrl: `${cloud.endpointUrl}/000000000000/lost`,
    MaxNumberOfMessages: 10,
    VisibilityTimeout: 0,
  });
  return (output.Messages ?? []).map(({ Body }: { Body: string }) => Body);
}

test('a failed event is tried twice more', async () => {
  await send('flaky', { name: 'recovers', failures: 2 });
  await expect.poll(() => tries('recovers')).toBe(3);
});

test('and then lies in the dead-letter queue, as it came', async () => {
  const event = { name: 'hopeless', failures: 9 };
  await send('flaky', event);
  await expect.poll(lost).toContain(JSON.stringify(event));
  expect(tries('hopeless')).toBe(3);
});

test('a failure destination gets the event with its story', async () => {
  await send('once', { name: 'single', failures: 9 });
  const story = async () => (await lost()).find((body) => body.includes('requestPayload'));
  await expect.poll(story).toBeDefined();
  expect(JSON.parse((await story()) ?? '')).toMatchObject({
    requestContext: { condition: 'RetriesExhausted', approximateInvokeCount: 1 },
    requestPayload: { name: 'single' },
    responsePayload: { errorMessage: 'failure 1' },
  });
  expect(tries('single')).toBe(1);
});

test('a dead-letter queue that the role may not write to loses the event, and the log says so', async () => {
  await send('closed', { name: 'refused', failures: 9 });
  await expect.poll(() => cloud.printed.join('\n')).toMatch(/closed: lost the event, .*: .*sqs:SendMessage/);
});
