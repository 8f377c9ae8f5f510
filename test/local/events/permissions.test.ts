import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { functionRole, temporaryFolder } from '../assembly.ts';
import { type EmbeddedCloud, startEmbeddedCloud } from '../embedded-cloud.ts';
import { lambdaFunction } from '../http-api.ts';
import { signedCall } from '../signed-call.ts';

const folder = temporaryFolder();
const seen = (name: string) => {
  const file = join(folder.path, name);
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
};
const arn = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });
const functionOf = (name: string) => lambdaFunction(name, { FunctionName: name });
const source = (name: string) =>
  `import { appendFileSync } from 'node:fs';
   export const handler = async (event) => {
     appendFileSync(${JSON.stringify(join(folder.path, name))}, (event.detail.n ?? event['detail-type']) + '\\n');
   };`;
const rule = (source: string, target: string, queue?: string) => ({
  Type: 'AWS::Events::Rule',
  Properties: {
    EventPattern: { source: [source] },
    Targets: [{ Id: 'Target', Arn: arn(target), ...(queue && { DeadLetterConfig: { Arn: arn(queue) } }) }],
  },
});
const permission = (functionId: string, ruleId: string) => ({
  Type: 'AWS::Lambda::Permission',
  Properties: {
    Action: 'lambda:InvokeFunction',
    FunctionName: arn(functionId),
    Principal: 'events.amazonaws.com',
    SourceArn: arn(ruleId),
  },
});
const queue = (QueueName: string) => ({ Type: 'AWS::SQS::Queue', Properties: { QueueName } });

let cloud: EmbeddedCloud;

beforeAll(async () => {
  cloud = await startEmbeddedCloud({
    functions: { admitted: source('admitted'), closed: source('closed') },
    stacks: {
      main: {
        Resources: {
          FunctionRole: functionRole(),
          Admitted: functionOf('admitted'),
          Closed: functionOf('closed'),
          Good: rule('good', 'Admitted'),
          GoodPermission: permission('Admitted', 'Good'),
          // The function admits another rule, not this one.
          Other: rule('other', 'Admitted', 'Dead'),
          Bad: rule('bad', 'Closed', 'Dead'),
          Worse: rule('worse', 'Closed', 'Shut'),
          Dead: queue('dead'),
          DeadPolicy: {
            Type: 'AWS::SQS::QueuePolicy',
            Properties: {
              Queues: [{ Ref: 'Dead' }],
              PolicyDocument: {
                Statement: [
                  {
                    Effect: 'Allow',
                    Principal: { Service: 'events.amazonaws.com' },
                    Action: 'sqs:SendMessage',
                    Resource: arn('Dead'),
                    Condition: { ArnEquals: { 'aws:SourceArn': [arn('Bad'), arn('Other')] } },
                  },
                ],
              },
            },
          },
          Shut: queue('shut'),
        },
      },
    },
  });
});

afterAll(async () => {
  await cloud?.remove();
  folder.remove();
});

const publish = (source: string, n: number) =>
  signedCall(cloud.client, 'events', 'AWSEvents.PutEvents', {
    Entries: [{ Source: source, DetailType: 'Counted', Detail: JSON.stringify({ n }) }],
  });

async function received(name: string): Promise<{ body: string; code: string | undefined }[]> {
  const sqs = new SQSClient(cloud.client);
  const QueueUrl = `${cloud.endpointUrl}/000000000000/${name}`;
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl,
      MessageAttributeNames: ['All'],
      WaitTimeSeconds: 20,
    }),
  );
  // Or it would come again, in place of the next one.
  for (const { ReceiptHandle } of Messages)
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  sqs.destroy();
  return Messages.map((one) => ({
    body: one.Body ?? '',
    code: one.MessageAttributes?.ERROR_CODE?.StringValue,
  }));
}

test('a rule invokes a function that admits it', async () => {
  await publish('good', 1);
  await expect.poll(() => seen('admitted')).toEqual(['1']);
});

test.each(['bad', 'other'])(
  'a rule %s that the function does not admit leaves a dead letter',
  async (name) => {
    await publish(name, 2);
    const [message] = await received('dead');
    expect(message?.code).toBe('NO_PERMISSIONS');
    expect(JSON.parse(message?.body ?? '')).toMatchObject({ source: name, detail: { n: 2 } });
    expect(seen('closed')).toEqual([]);
  },
);

test('a dead-letter queue that does not admit the rule loses the event, and the cloud says so', async () => {
  await publish('worse', 3);
  await expect.poll(() => cloud.printed.join('\n')).toMatch(/its dead-letter queue refused it/);
});
