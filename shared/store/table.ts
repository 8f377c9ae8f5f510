/**
 * The one table. Every partition begins with the organisation, and only this file builds partition keys, so no
 * call can reach another organisation's items.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  type TransactWriteCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';

/** What an item is, and so which partition it lies in. */
export type Collection =
  | 'registries'
  | 'images'
  | 'image-names'
  | 'readmes'
  | 'builds'
  | 'build-requests'
  | 'build-claims'
  | 'build-followers'
  | 'base-digests'
  | 'compute-slots'
  | 'experiments'
  | 'events'
  | 'logs'
  | 'members'
  | 'tokens'
  | 'settings'
  | 'uploads'
  | 'secrets'
  | 'idempotency';

/** Indexes and the attribute each sorts by; see `infra` for their definition. */
export const indexes = {
  byStatus: 'statusKey',
  byRepository: 'repositoryKey',
  byTag: 'tagKey',
  byRegistry: 'registryKey',
  byAuthor: 'authorKey',
  byProject: 'projectKey',
  byImage: 'imageKey',
} as const;
export type IndexName = keyof typeof indexes;

export type Item = Record<string, unknown>;
export type Write = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/** A conditional write that found another state than it asked for; `existing` is the item as it is, where there is one. */
export class ConditionFailedError extends Error {
  readonly existing: Item | undefined;
  constructor(existing: Item | undefined) {
    super('the item is not in the expected state');
    this.name = 'ConditionFailedError';
    this.existing = existing;
  }
}

export interface Table {
  readonly name: string;
  key(organisation: string, collection: Collection, sk: string): { pk: string; sk: string };
  /** Strongly consistent unless `eventually`. */
  get(
    organisation: string,
    collection: Collection,
    sk: string,
    eventually?: boolean,
  ): Promise<Item | undefined>;
  /** Throws `ConditionFailedError` where `write.ConditionExpression` doesn't hold. */
  put(
    organisation: string,
    collection: Collection,
    sk: string,
    item: Item,
    condition?: Condition,
  ): Promise<void>;
  remove(organisation: string, collection: Collection, sk: string, condition?: Condition): Promise<void>;
  /** At most 100 writes, all or none; `ConditionFailedError` carries the first item that refused. */
  transact(writes: Write[], token?: string): Promise<void>;
  /** Everything of a collection that stays small, strongly consistent, in the order of sort keys that begin with `prefix`. */
  all(organisation: string, collection: Collection, prefix?: string): Promise<Item[]>;
  /** One page straight from DynamoDB; see `list.ts` for filters and cursors. */
  query(input: QueryInput): Promise<{ items: Item[]; last?: Item; readUnits: number }>;
  /** Open work of one organisation whose `dueAt` has passed, oldest first (index `byDue`). */
  due(organisation: string, before: string, limit: number): Promise<Item[]>;
}

export interface Condition {
  expression: string;
  names?: Record<string, string>;
  values?: Record<string, unknown>;
}

export interface QueryInput {
  organisation: string;
  collection: Collection;
  index?: IndexName;
  /** Only sort keys that begin so (of the index where one is named). */
  prefix?: string;
  /** Only sort keys from `from` (inclusive) up to `to` (inclusive). */
  between?: { from: string; to: string };
  descending?: boolean;
  limit: number;
  /** `last` of the page before. */
  start?: Item;
  consistent?: boolean;
}

export const absent: Condition = { expression: 'attribute_not_exists(pk)' };
export const versionIs = (version: number): Condition => ({
  expression: '#version = :expected',
  names: { '#version': 'version' },
  values: { ':expected': version },
});

/** Value of a column's sort key: equal values stay in creation order, since ids are time-ordered. */
export const columnKey = (value: string, id: string) => `${columnPrefix(value)}${id}`;
/** Sort keys end at 1024 bytes; a longer value keeps its place by its first part. */
export const columnPrefix = (value: string) => `${Buffer.from(value).subarray(0, 900).toString()}\u0000`;

/** Greater than any character of a key. */
const lastCharacter = '\u{10ffff}';

/** The client is a parameter for tests; by default the environment says where it goes. */
export function createTable(name: string, client: DynamoDBClient = new DynamoDBClient({})): Table {
  const db = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
  const key = (organisation: string, collection: Collection, sk: string) => ({
    pk: `${organisation}#${collection}`,
    sk,
  });
  return {
    name,
    key,
    async get(organisation, collection, sk, eventually = false) {
      const answer = await db.send(
        new GetCommand({
          TableName: name,
          Key: key(organisation, collection, sk),
          ConsistentRead: !eventually,
        }),
      );
      return answer.Item;
    },
    async put(organisation, collection, sk, item, condition) {
      await refusals(() =>
        db.send(
          new PutCommand({
            TableName: name,
            Item: { ...item, ...key(organisation, collection, sk) },
            ...conditionInput(condition),
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
        ),
      );
    },
    async remove(organisation, collection, sk, condition) {
      await refusals(() =>
        db.send(
          new DeleteCommand({
            TableName: name,
            Key: key(organisation, collection, sk),
            ...conditionInput(condition),
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
        ),
      );
    },
    async transact(writes, token) {
      await refusals(() =>
        db.send(
          new TransactWriteCommand({
            TransactItems: writes,
            ...(token ? { ClientRequestToken: token } : {}),
          }),
        ),
      );
    },
    async query(input) {
      const sortKey = input.index ? indexes[input.index] : 'sk';
      const { prefix } = input;
      // A prefix is asked for as the range that it is: engines answer that from either end at the same cost.
      const between =
        prefix === undefined ? input.between : { from: prefix, to: `${prefix}${lastCharacter}` };
      const range = between ? ' AND #sk BETWEEN :sk AND :to' : '';
      const answer = await db.send(
        new QueryCommand({
          TableName: name,
          ...(input.index ? { IndexName: input.index } : { ConsistentRead: input.consistent ?? false }),
          KeyConditionExpression: `pk = :pk${range}`,
          ...(range ? { ExpressionAttributeNames: { '#sk': sortKey } } : {}),
          ExpressionAttributeValues: {
            ':pk': key(input.organisation, input.collection, '').pk,
            ...(between ? { ':sk': between.from, ':to': between.to } : {}),
          },
          ScanIndexForward: !input.descending,
          Limit: input.limit,
          ExclusiveStartKey: input.start,
          ReturnConsumedCapacity: 'TOTAL',
        }),
      );
      return {
        items: answer.Items ?? [],
        ...(answer.LastEvaluatedKey ? { last: answer.LastEvaluatedKey } : {}),
        readUnits: answer.ConsumedCapacity?.CapacityUnits ?? 0,
      };
    },
    async all(organisation, collection, prefix) {
      const items: Item[] = [];
      let start: Item | undefined;
      do {
        const page = await this.query({
          organisation,
          collection,
          limit: 1000,
          consistent: true,
          ...(prefix === undefined ? {} : { prefix }),
          ...(start ? { start } : {}),
        });
        items.push(...page.items);
        start = page.last;
      } while (start);
      return items;
    },
    async due(organisation, before, limit) {
      const answer = await db.send(
        new QueryCommand({
          TableName: name,
          IndexName: 'byDue',
          KeyConditionExpression: 'openKey = :open AND dueAt <= :before',
          ExpressionAttributeValues: { ':open': openKey(organisation), ':before': before },
          Limit: limit,
        }),
      );
      return answer.Items ?? [];
    },
  };
}

/** Partition of the reconciler's index: set on unfinished work, removed with its last transition. */
export const openKey = (organisation: string) => `${organisation}#open`;

interface ConditionInput {
  ConditionExpression: string;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Record<string, unknown>;
}

/** A condition as the fields that every DynamoDB write takes. */
export function conditionInput(condition: Condition): ConditionInput;
export function conditionInput(condition?: Condition): Partial<ConditionInput>;
export function conditionInput(condition?: Condition): Partial<ConditionInput> {
  if (!condition) return {};
  return {
    ConditionExpression: condition.expression,
    ...(condition.names ? { ExpressionAttributeNames: condition.names } : {}),
    ...(condition.values ? { ExpressionAttributeValues: condition.values } : {}),
  };
}

/** lib-dynamodb leaves the items inside errors as they came over the wire. */
interface Refusal extends Error {
  Item?: Record<string, AttributeValue>;
  CancellationReasons?: { Code?: string; Item?: Record<string, AttributeValue> }[];
}

const plain = (item: Record<string, AttributeValue> | undefined) => (item ? unmarshall(item) : undefined);

/** Single writes that meet a transaction on the same item are refused at once and not retried by the SDK. */
const conflictAttempts = 5;

async function refusals<T>(write: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await write();
    } catch (error) {
      const refusal = error as Refusal;
      if (refusal.name === 'TransactionConflictException' && attempt < conflictAttempts) {
        await sleep(Math.random() * 25 * attempt);
        continue;
      }
      if (refusal.name === 'ConditionalCheckFailedException')
        throw new ConditionFailedError(plain(refusal.Item));
      if (refusal.name === 'TransactionCanceledException') {
        const reasons = refusal.CancellationReasons ?? [];
        const failed = reasons.find((reason) => reason.Code === 'ConditionalCheckFailed');
        if (failed) throw new ConditionFailedError(plain(failed.Item));
        // Two transactions at once on one item: the state is unknown, so the caller reads again.
        if (reasons.some((reason) => reason.Code === 'TransactionConflict'))
          throw new ConditionFailedError(undefined);
      }
      throw error;
    }
  }
}
