import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DeclaredResource } from '../../local/platform.ts';
import { createSqs, type Sqs } from '../../local/sqs.ts';
import { call, roleNamed, type TestCloud, testCloud } from './test-cloud.ts';
import { testEndpoint } from './test-endpoint.ts';

let cloud: TestCloud;
let sqs: Sqs;
const arn = (name: string) => `arn:aws:sqs:us-east-1:000000000000:${name}`;
const url = (name: string) => `http://127.0.0.1:4781/000000000000/${name}`;
const queue = (name: string, properties: object = {}): DeclaredResource => {
  const type = 'AWS::SQS::Queue';
  const declared = { stack: 'api', logicalId: name, properties: { QueueName: name, ...properties } };
  const physicalId = sqs.resourceTypes?.[type]?.physicalId(declared, cloud) ?? '';
  const attributes = sqs.resourceTypes?.[type]?.attributes?.({ physicalId, properties }, cloud) ?? {};
  return { ...declared, type, physicalId, attributes };
};
const policy = (name: string, Statement: object[]): DeclaredResource => ({
  stack: 'api',
  logicalId: 'Policy',
  type: 'AWS::SQS::QueuePolicy',
  physicalId: 'policy',
  attributes: {},
  properties: { Queues: [url(name)], PolicyDocument: { Statement } },
});
const ask = (operation: string, input: object, principal = roleNamed('operator')) =>
  call(cloud, sqs, operation, { QueueUrl: url('dead'), ...input }, principal);
const receive = async (input: object = {}) => (await ask('ReceiveMessage', input)).Messages ?? [];

beforeEach(async () => {
  cloud = testCloud();
  sqs = createSqs(cloud);
  await sqs.deploy?.([queue('dead')]);
});
afterEach(async () => {
  await sqs.stop?.();
  cloud.remove();
});

test('a message is sent, hidden while in flight, and gone once deleted', async () => {
  const sent = await ask('SendMessage', { MessageBody: 'lost event' });
  const [message] = await receive({ AttributeNames: ['All'] });
  expect(message).toMatchObject({
    MessageId: sent.MessageId,
    Body: 'lost event',
    MD5OfBody: sent.MD5OfMessageBody,
    Attributes: { ApproximateReceiveCount: '1' },
  });
  expect(await receive()).toEqual([]);
  cloud.time += 30_000;
  const [again] = await receive();
  await ask('DeleteMessage', { ReceiptHandle: message.ReceiptHandle });
  await ask('DeleteMessage', { ReceiptHandle: again.ReceiptHandle });
  cloud.time += 30_000;
  expect(await receive()).toEqual([]);
});

test('a message has at most one mebibyte, and only characters of XML', async () => {
  await ask('SendMessage', { MessageBody: 'x'.repeat(1_048_576) });
  await expect(ask('SendMessage', { MessageBody: 'x'.repeat(1_048_577) })).rejects.toMatchObject({
    code: 'InvalidParameterValue',
  });
  await expect(ask('SendMessage', { MessageBody: 'a\u0000' })).rejects.toMatchObject({
    code: 'InvalidMessageContents',
  });
  await expect(ask('SendMessage', { QueueUrl: url('none'), MessageBody: 'a' })).rejects.toMatchObject({
    code: 'QueueDoesNotExist',
  });
});

test('counts tell what is visible, in flight and delayed', async () => {
  for (const body of ['a', 'b']) await ask('SendMessage', { MessageBody: body });
  await ask('SendMessage', { MessageBody: 'c', DelaySeconds: 10 });
  await receive();
  const { Attributes } = await ask('GetQueueAttributes', { AttributeNames: ['All'] });
  expect(Attributes).toMatchObject({
    QueueArn: arn('dead'),
    ApproximateNumberOfMessages: '1',
    ApproximateNumberOfMessagesNotVisible: '1',
    ApproximateNumberOfMessagesDelayed: '1',
  });
});

test('received too often, a message moves to the dead-letter queue with its body', async () => {
  const RedrivePolicy = { deadLetterTargetArn: arn('dead'), maxReceiveCount: 2 };
  await sqs.deploy?.([queue('dead'), queue('work', { RedrivePolicy, VisibilityTimeout: 5 })]);
  sqs.send(arn('work'), 'poison');
  for (const count of [1, 1, 0]) {
    expect(await receive({ QueueUrl: url('work') })).toHaveLength(count);
    cloud.time += 5_000;
  }
  expect(await receive()).toMatchObject([{ Body: 'poison' }]);
});

test('messages outlive a kill and not their retention', async () => {
  sqs.send(arn('dead'), 'kept');
  cloud = cloud.reopened();
  sqs = createSqs(cloud);
  await sqs.deploy?.([queue('dead', { MessageRetentionPeriod: 60 })]);
  expect(await receive({ VisibilityTimeout: 0 })).toHaveLength(1);
  cloud.time += 60_000;
  expect(await receive()).toEqual([]);
});

test('a service may send only where the queue policy admits it for that source', async () => {
  const rule = { service: 'events.amazonaws.com', sourceArn: 'arn:aws:events:us-east-1:000000000000:rule/a' };
  expect(() => sqs.send(arn('dead'), 'x', rule)).toThrow(/not authorized/);
  const Condition = { ArnEquals: { 'aws:SourceArn': rule.sourceArn } };
  const allow = {
    Effect: 'Allow',
    Principal: { Service: rule.service },
    Action: 'sqs:SendMessage',
    Resource: arn('dead'),
    Condition,
  };
  await sqs.deploy?.([queue('dead'), policy('dead', [allow])]);
  sqs.send(arn('dead'), 'x', rule, { ERROR_CODE: 'NO_PERMISSIONS' });
  expect(() => sqs.send(arn('dead'), 'x', { ...rule, sourceArn: `${rule.sourceArn}2` })).toThrow(
    /not authorized/,
  );
  const [message] = await receive({ MessageAttributeNames: ['All'] });
  expect(message.MessageAttributes).toEqual({
    ERROR_CODE: { DataType: 'String', StringValue: 'NO_PERMISSIONS' },
  });
});

test('a policy that refuses plain HTTP refuses nobody on loopback', async () => {
  const deny = {
    Effect: 'Deny',
    Principal: '*',
    Action: 'sqs:*',
    Resource: '*',
    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
  };
  await sqs.deploy?.([queue('dead'), policy('dead', [deny])]);
  await ask('SendMessage', { MessageBody: 'a' });
  cloud.deny = ({ action }) => action === 'sqs:SendMessage';
  await expect(ask('SendMessage', { MessageBody: 'a' })).rejects.toMatchObject({
    code: 'AccessDeniedException',
  });
});

test('a long poll answers as soon as a message comes', async () => {
  const started = performance.now();
  const waiting = receive({ WaitTimeSeconds: 20 });
  setTimeout(() => sqs.send(arn('dead'), 'late'), 50);
  expect(await waiting).toHaveLength(1);
  // Not only when the time to wait was over.
  expect(performance.now() - started).toBeLessThan(15_000);
});

test('broken receipts, waits and visibilities are refused', async () => {
  await expect(ask('DeleteMessage', { ReceiptHandle: 'bogus' })).rejects.toMatchObject({
    code: 'ReceiptHandleIsInvalid',
  });
  await expect(receive({ WaitTimeSeconds: 21 })).rejects.toMatchObject({ code: 'InvalidParameterValue' });
  await expect(receive({ MaxNumberOfMessages: 11 })).rejects.toMatchObject({ code: 'InvalidParameterValue' });
  sqs.send(arn('dead'), 'x');
  const [message] = await receive();
  await ask('ChangeMessageVisibility', { ReceiptHandle: message.ReceiptHandle, VisibilityTimeout: 0 });
  expect(await receive()).toHaveLength(1);
});

test('the SDK’s own client accepts the digests and names the errors', async () => {
  const endpoint = await testEndpoint(cloud, [sqs]);
  const client = new SQSClient(endpoint.clientOf(roleNamed('operator')));
  const QueueUrl = url('dead');
  const MessageAttributes = {
    kind: { DataType: 'String', StringValue: 'event' },
    raw: { DataType: 'Binary', BinaryValue: Buffer.from([1, 2]) },
  };
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'größe', MessageAttributes }));
  const { Messages } = await client.send(
    new ReceiveMessageCommand({ QueueUrl, MessageAttributeNames: ['All'] }),
  );
  expect(Messages).toMatchObject([{ Body: 'größe', MessageAttributes: { kind: { StringValue: 'event' } } }]);
  expect(Messages?.[0]?.MessageAttributes?.raw?.BinaryValue).toEqual(new Uint8Array([1, 2]));
  const missing = client.send(new SendMessageCommand({ QueueUrl: url('none'), MessageBody: 'x' }));
  await expect(missing).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
  client.destroy();
  await endpoint.close();
});

test.each([
  ['GetQueueAttributes', { AttributeNames: ['QueueSize'] }],
  ['GetQueueAttributes', { AttributeNames: ['All', 'queueArn'] }],
  ['ReceiveMessage', { AttributeNames: ['QueueArn'] }],
  ['ReceiveMessage', { MessageSystemAttributeNames: ['Sender'] }],
])('an unknown attribute is refused: %s %j', async (operation, input) => {
  await expect(ask(operation, input)).rejects.toMatchObject({ code: 'InvalidAttributeName' });
});

test.each([
  ['GetQueueUrl', { QueueName: 'none' }, 'AWS.SimpleQueueService.NonExistentQueue;Sender'],
  ['GetQueueAttributes', { QueueUrl: url('dead'), AttributeNames: ['X'] }, 'InvalidAttributeName;Sender'],
  ['AddPermission', { QueueUrl: url('dead') }, 'AWS.SimpleQueueService.UnsupportedOperation;Sender'],
])('clients from before SQS spoke JSON find the name they know: %s', async (operation, input, name) => {
  const endpoint = await testEndpoint(cloud, [sqs]);
  try {
    const client = new SQSClient({ ...endpoint.clientOf(roleNamed('operator')), maxAttempts: 1 });
    let header: string | undefined;
    client.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        header = (result.response as { headers: Record<string, string> }).headers['x-amzn-query-error'];
        return result;
      },
      { step: 'deserialize', priority: 'low' },
    );
    client.middlewareStack.add(
      (next) => async (args) => {
        const request = args.request as { headers: Record<string, string>; body: string };
        request.headers['x-amz-target'] = `AmazonSQS.${operation}`;
        request.body = JSON.stringify(input);
        request.headers['content-length'] = String(Buffer.byteLength(request.body));
        return next(args);
      },
      { step: 'build', priority: 'low' },
    );
    await expect(
      client.send(new SendMessageCommand({ QueueUrl: url('dead'), MessageBody: 'x' })),
    ).rejects.toThrow();
    expect(header).toBe(name);
  } finally {
    await endpoint.close();
  }
});
