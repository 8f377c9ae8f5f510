/** SQS: declared standard queues in SQLite, above all as dead-letter queues. */
import { setTimeout } from 'node:timers/promises';
import { AwsError, type Cloud, type DeclaredResource, type Invoker, type Service } from './platform.ts';
import { ResourcePolicies } from './resource-policies.ts';
import {
  changeMessageVisibility,
  deleteMessage,
  getQueueAttributes,
  getQueueUrl,
  listQueues,
  purgeQueue,
  type QueueAccess,
  receiveMessage,
  sendMessage,
} from './sqs/operations.ts';
import { noSuchQueue, openQueueStore, type Queue } from './sqs/store.ts';
import { generatedName } from './template/names.ts';

const mebibyte = 1_048_576;

/** Names of errors before SQS spoke JSON. */
const named = (names: string[]) =>
  Object.fromEntries(names.map((name) => [name, `AWS.SimpleQueueService.${name}`]));
const queryErrors = {
  ...named([
    'BatchEntryIdsNotDistinct',
    'BatchRequestTooLong',
    'EmptyBatchRequest',
    'InvalidBatchEntryId',
    'MessageNotInflight',
    'PurgeQueueInProgress',
    'QueueDeletedRecently',
    'TooManyEntriesInBatchRequest',
    'UnsupportedOperation',
  ]),
  QueueDoesNotExist: 'AWS.SimpleQueueService.NonExistentQueue',
  QueueNameExists: 'QueueAlreadyExists',
};

export interface Sqs extends Service {
  /**
   * Puts a message into a queue for the cloud itself. With `sender`, the queue's policy must admit it
   * (`AccessDeniedException`); an unknown queue is `QueueDoesNotExist`.
   */
  send(queueArn: string, body: string, sender?: Invoker, attributes?: Record<string, string>): void;
}

/** SQS on `cloud.db`. */
export function createSqs(cloud: Cloud): Sqs {
  const store = openQueueStore(cloud);
  const policies = new ResourcePolicies(cloud);
  const stopping = new AbortController();
  let stopExpiry = (): void => undefined;
  const access: QueueAccess = {
    store,
    policies,
    pause: (milliseconds) =>
      setTimeout(milliseconds, undefined, { signal: stopping.signal }).catch(() => {
        // Aborted only by stop(): whoever waits gets what there is.
      }),
  };

  function declare(resource: DeclaredResource): Queue {
    const properties = resource.properties ?? {};
    if (properties.FifoQueue)
      throw new Error(`${resource.logicalId}: the embedded cloud does not support FIFO queues.`);
    const { RedrivePolicy: redrive } = properties;
    return {
      name: resource.attributes.QueueName ?? '',
      arn: resource.attributes.Arn ?? '',
      url: resource.physicalId,
      visibilityTimeoutSeconds: Number(properties.VisibilityTimeout ?? 30),
      retentionSeconds: Number(properties.MessageRetentionPeriod ?? 345_600),
      delaySeconds: Number(properties.DelaySeconds ?? 0),
      waitTimeSeconds: Number(properties.ReceiveMessageWaitTimeSeconds ?? 0),
      maxMessageBytes: Number(properties.MaximumMessageSize ?? mebibyte),
      ...(redrive && {
        redrive: {
          deadLetterArn: redrive.deadLetterTargetArn,
          maxReceiveCount: Number(redrive.maxReceiveCount),
        },
      }),
    };
  }

  return {
    signingName: 'sqs',
    queryErrors,
    resourceTypes: {
      'AWS::SQS::Queue': {
        physicalId: (declared) =>
          `${cloud.endpointUrl}/${cloud.accountId}/${declared.properties?.QueueName ?? generatedName(declared, 80)}`,
        attributes({ physicalId }) {
          const name = physicalId.slice(physicalId.lastIndexOf('/') + 1);
          return {
            Arn: `arn:aws:sqs:${cloud.region}:${cloud.accountId}:${name}`,
            QueueName: name,
            QueueUrl: physicalId,
          };
        },
      },
      'AWS::SQS::QueuePolicy': { physicalId: (declared) => generatedName(declared) },
    },
    async deploy(resources) {
      store.clear();
      policies.clear();
      for (const one of resources) if (one.type === 'AWS::SQS::Queue') store.declare(declare(one));
      for (const { type, logicalId, properties } of resources) {
        if (type !== 'AWS::SQS::QueuePolicy') continue;
        for (const url of properties.Queues) {
          const queue = store.all().find((one) => one.url === url);
          if (!queue) throw new Error(`${logicalId}: no template declares the queue ${url}`);
          policies.add(queue.arn, properties.PolicyDocument, logicalId);
        }
      }
    },
    async start() {
      store.expire();
      stopExpiry = cloud.every(3_600_000, 'sqs retention', () => store.expire());
    },
    async stop() {
      stopping.abort();
      stopExpiry();
    },
    send(queueArn, body, sender, attributes = {}) {
      const queue = store.byArn(queueArn);
      if (!queue) throw noSuchQueue();
      if (sender && !policies.admits(sender, queue.arn, 'sqs:SendMessage', queue.arn))
        throw new AwsError(
          'AccessDeniedException',
          `${sender.service} is not authorized to perform: sqs:SendMessage on resource: ${queue.arn} for ${sender.sourceArn} because no resource-based policy allows it`,
        );
      const typed = Object.entries(attributes).map(([name, StringValue]) => [
        name,
        { DataType: 'String', StringValue },
      ]);
      store.send(queue, {
        body,
        attributes: Object.fromEntries(typed),
        sender: sender?.service ?? cloud.accountId,
      });
    },
    operations: {
      SendMessage: (call) => sendMessage(access, call),
      ReceiveMessage: (call) => receiveMessage(access, call),
      DeleteMessage: (call) => deleteMessage(access, call),
      ChangeMessageVisibility: (call) => changeMessageVisibility(access, call),
      GetQueueAttributes: (call) => getQueueAttributes(access, call),
      GetQueueUrl: (call) => getQueueUrl(access, call),
      ListQueues: (call) => listQueues(access, call),
      PurgeQueue: (call) => purgeQueue(access, call),
    },
  };
}
