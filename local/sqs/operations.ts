/** What callers do with queues, with SQS's limits. */
import { AwsError, type JsonCall } from '../platform.ts';
import { RequestMembers } from '../request-members.ts';
import type { ResourcePolicies } from '../resource-policies.ts';
import { attributesBytes, attributesDigest, readMessageAttributes } from './message-attributes.ts';
import { type Message, md5, noSuchQueue, type Queue, type QueueStore } from './store.ts';

export interface QueueAccess {
  store: QueueStore;
  policies: ResourcePolicies;
  /** Resolves after this many milliseconds, or when the service stops. */
  pause(milliseconds: number): Promise<void>;
}

const pollEveryMs = 100;
const members = (call: JsonCall): RequestMembers => new RequestMembers(call.input, 'InvalidParameterValue');

/** SQS allows tab, line feed, carriage return and everything else from the space on. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const forbiddenCharacters = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

function authorizedQueue(access: QueueAccess, call: JsonCall, action: string, input: RequestMembers): Queue {
  const url = input.string('QueueUrl');
  // SDKs may reach the same queue under another host name.
  const path = URL.canParse(url) ? new URL(url).pathname : `/${url}`;
  const queue = access.store.all().find((one) => new URL(one.url).pathname === path);
  if (!queue) throw noSuchQueue();
  access.policies.authorize(call, queue.arn, `sqs:${action}`, queue.arn);
  return queue;
}

export function sendMessage(access: QueueAccess, call: JsonCall): object {
  const input = members(call);
  const queue = authorizedQueue(access, call, 'SendMessage', input);
  const body = input.string('MessageBody');
  const delaySeconds = input.optionalInteger('DelaySeconds', 0, 900);
  const attributes = readMessageAttributes(call.input?.MessageAttributes);
  if (Buffer.byteLength(body) + attributesBytes(attributes) > queue.maxMessageBytes)
    throw new AwsError(
      'InvalidParameterValue',
      `One or more parameters are invalid. Reason: Message must be shorter than ${queue.maxMessageBytes} bytes.`,
    );
  if (forbiddenCharacters.test(body))
    throw new AwsError(
      'InvalidMessageContents',
      'Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.',
    );
  const id = access.store.send(queue, { body, attributes, sender: call.principal.arn, delaySeconds });
  const digest = attributesDigest(attributes);
  return { MessageId: id, MD5OfMessageBody: md5(body), ...(digest && { MD5OfMessageAttributes: digest }) };
}

function shown(message: Message, wanted: string[]): object {
  const system: Record<string, string> = {
    SenderId: message.sender,
    SentTimestamp: String(message.sentAt),
    ApproximateReceiveCount: String(message.receiveCount),
    ApproximateFirstReceiveTimestamp: String(message.receivedAt),
  };
  const chosen = Object.entries(system).filter(([name]) => wanted.includes('All') || wanted.includes(name));
  const digest = attributesDigest(message.attributes);
  return {
    MessageId: message.id,
    ReceiptHandle: message.receipt,
    Body: message.body,
    MD5OfBody: md5(message.body),
    ...(chosen.length > 0 && { Attributes: Object.fromEntries(chosen) }),
    ...(digest && { MessageAttributes: message.attributes, MD5OfMessageAttributes: digest }),
  };
}

export async function receiveMessage(access: QueueAccess, call: JsonCall): Promise<object> {
  const input = members(call);
  const queue = authorizedQueue(access, call, 'ReceiveMessage', input);
  const limit = input.optionalInteger('MaxNumberOfMessages', 1, 10) ?? 1;
  const waitSeconds = input.optionalInteger('WaitTimeSeconds', 0, 20) ?? queue.waitTimeSeconds;
  const hideSeconds = input.optionalInteger('VisibilityTimeout', 0, 43_200) ?? queue.visibilityTimeoutSeconds;
  const system = [...input.strings('AttributeNames'), ...input.strings('MessageSystemAttributeNames')];
  checkNames(system, messageAttributes);
  const named = input.strings('MessageAttributeNames');
  let messages = access.store.receive(queue, limit, hideSeconds);
  for (let waitedMs = 0; messages.length === 0 && waitedMs < waitSeconds * 1000; waitedMs += pollEveryMs) {
    await access.pause(pollEveryMs);
    messages = access.store.receive(queue, limit, hideSeconds);
  }
  if (messages.length === 0) return {};
  const all = named.some((one) => one === 'All' || one === '.*');
  return {
    Messages: messages.map((message) => {
      const kept = Object.entries(message.attributes).filter(([name]) => all || named.includes(name));
      return shown({ ...message, attributes: Object.fromEntries(kept) }, system);
    }),
  };
}

export function deleteMessage(access: QueueAccess, call: JsonCall): object {
  const input = members(call);
  const queue = authorizedQueue(access, call, 'DeleteMessage', input);
  access.store.remove(queue, readReceipt(input));
  return {};
}

function readReceipt(input: RequestMembers): string {
  const receipt = input.string('ReceiptHandle', { max: 1024 });
  if (!/^[0-9a-f-]{36}$/.test(receipt))
    throw new AwsError(
      'ReceiptHandleIsInvalid',
      `The input receipt handle "${receipt}" is not a valid receipt handle.`,
    );
  return receipt;
}

export function changeMessageVisibility(access: QueueAccess, call: JsonCall): object {
  const input = members(call);
  const queue = authorizedQueue(access, call, 'ChangeMessageVisibility', input);
  const receipt = readReceipt(input);
  const seconds = input.optionalInteger('VisibilityTimeout', 0, 43_200);
  if (seconds === undefined)
    throw new AwsError('MissingParameter', 'The request must contain the parameter VisibilityTimeout.');
  if (!access.store.setVisibility(queue, receipt, seconds))
    throw new AwsError(
      'InvalidParameterValue',
      `Value ${receipt} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.`,
    );
  return {};
}

/** Attributes that queues can have. Those of FIFO queues, encryption and policies have no value here. */
const queueAttributes = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesDelayed',
  'ApproximateNumberOfMessagesNotVisible',
  'ContentBasedDeduplication',
  'CreatedTimestamp',
  'DeduplicationScope',
  'DelaySeconds',
  'FifoQueue',
  'FifoThroughputLimit',
  'KmsDataKeyReusePeriodSeconds',
  'KmsMasterKeyId',
  'LastModifiedTimestamp',
  'MaximumMessageSize',
  'MessageRetentionPeriod',
  'Policy',
  'QueueArn',
  'ReceiveMessageWaitTimeSeconds',
  'RedriveAllowPolicy',
  'RedrivePolicy',
  'SqsManagedSseEnabled',
  'VisibilityTimeout',
];
const messageAttributes = [
  'AWSTraceHeader',
  'ApproximateFirstReceiveTimestamp',
  'ApproximateReceiveCount',
  'DeadLetterQueueSourceArn',
  'MessageDeduplicationId',
  'MessageGroupId',
  'SenderId',
  'SentTimestamp',
  'SequenceNumber',
];

function checkNames(wanted: string[], known: string[]): void {
  const unknown = wanted.find((name) => name !== 'All' && !known.includes(name));
  if (unknown) throw new AwsError('InvalidAttributeName', `Unknown Attribute ${unknown}.`);
}

export function getQueueAttributes(access: QueueAccess, call: JsonCall): object {
  const input = members(call);
  const queue = authorizedQueue(access, call, 'GetQueueAttributes', input);
  const wanted = input.strings('AttributeNames');
  const counted = access.store.counts(queue);
  const attributes: Record<string, string> = {
    QueueArn: queue.arn,
    ApproximateNumberOfMessages: String(counted.visible),
    ApproximateNumberOfMessagesNotVisible: String(counted.inFlight),
    ApproximateNumberOfMessagesDelayed: String(counted.delayed),
    VisibilityTimeout: String(queue.visibilityTimeoutSeconds),
    MessageRetentionPeriod: String(queue.retentionSeconds),
    DelaySeconds: String(queue.delaySeconds),
    ReceiveMessageWaitTimeSeconds: String(queue.waitTimeSeconds),
    MaximumMessageSize: String(queue.maxMessageBytes),
    ...(queue.redrive && {
      RedrivePolicy: JSON.stringify({
        deadLetterTargetArn: queue.redrive.deadLetterArn,
        maxReceiveCount: queue.redrive.maxReceiveCount,
      }),
    }),
  };
  checkNames(wanted, queueAttributes);
  const chosen = Object.entries(attributes).filter(
    ([name]) => wanted.includes('All') || wanted.includes(name),
  );
  return chosen.length > 0 ? { Attributes: Object.fromEntries(chosen) } : {};
}

export function getQueueUrl(access: QueueAccess, call: JsonCall): object {
  const name = members(call).string('QueueName', { max: 80 });
  const queue = access.store.all().find((one) => one.name === name);
  if (!queue) throw noSuchQueue();
  access.policies.authorize(call, queue.arn, 'sqs:GetQueueUrl', queue.arn);
  return { QueueUrl: queue.url };
}

export function listQueues(access: QueueAccess, call: JsonCall): object {
  const prefix = members(call).optionalString('QueueNamePrefix') ?? '';
  call.authorize('sqs:ListQueues', '*');
  const urls = access.store
    .all()
    .filter((one) => one.name.startsWith(prefix))
    .map((one) => one.url);
  return urls.length > 0 ? { QueueUrls: urls } : {};
}

export function purgeQueue(access: QueueAccess, call: JsonCall): object {
  access.store.purge(authorizedQueue(access, call, 'PurgeQueue', members(call)));
  return {};
}
