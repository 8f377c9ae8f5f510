/**
 * The one table. Every partition begins with the organisation, and only this file builds partition keys, so no
 * call can reach another organisation's items.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  type QueryCommandInput,
  TransactWriteCommand,
  type TransactWriteCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { type IndexName, indexes } from '../model/indexes.ts';
import { type Condition, conditionInput, type Item, refusals } from './conditions.ts';
import { getSeveral } from './several.ts';

export {
  absent,
  type Condition,
  ConditionFailedError,
  conditionInput,
  type Item,
  present,
  versionIs,
} from './conditions.ts';

/** What an item is, and so which partition it lies in. */
export type Collection =
  | 'registries'
  | 'registry-images'
  | 'images'
  | 'image-names'
  | 'readmes'
  | 'logos'
  | 'builds'
  | 'build-requests'
  | 'build-claims'
  | 'build-followers'
  | 'base-digests'
  | 'compute-slots'
  | 'experiments'
  | 'experiment-tags'
  | 'events'
  | 'logs'
  | 'members'
  | 'tokens'
  | 'settings'
  | 'uploads'
  | 'secrets'
  | 'waiting-places'
  | 'idempotency';

export type Write = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

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
  /** At most 100, in one call, each strongly consistent by itself; answered in the order of `keys`. */
  getAll(
    organisation: string,
    keys: readonly (readonly [collection: Collection, sk: string])[],
  ): Promise<(Item | undefined)[]>;
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
  /** One page; see `list.ts` for filters and cursors. */
  query(input: QueryInput): Promise<Page>;
  /** Open work of one organisation whose `dueAt` has passed, oldest first (index `byDue`). */
  due(organisation: string, before: string, limit: number): Promise<Item[]>;
}

/** As many items as were asked for; fewer only where there are no more. */
export interface Page {
  items: Item[];
  /** Where the next page starts. */
  last?: Item;
  readUnits: number;
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

/** Value of a column's sort key: equal values stay in creation order, since ids are time-ordered. */
export const columnKey = (value: string, id: string) => `${columnPrefix(value)}${id}`;
/** Sort keys end at 1024 bytes; a longer value keeps its place by its first part. */
export const columnPrefix = (value: string) => `${Buffer.from(value).subarray(0, 900).toString()}\u0000`;

/** Greater than any character of a key. */
const lastCharacter = '\u{10ffff}';

/** The client is a parameter for tests; by default the environment says where it goes. */
export function createTable(name: string, client: DynamoDBClient = new DynamoDBClient({})): Table {
  // What users name, such as build arguments, may be named `constructor`: by that the client knows what it can write.
  const marshallOptions = { removeUndefinedValues: true, convertClassInstanceToMap: true };
  const db = DynamoDBDocumentClient.from(client, { marshallOptions });
  const key = (organisation: string, collection: Collection, sk: string) => ({
    pk: `${organisation}#${collection}`,
    sk,
  });
  /** `limit` items, fewer only where there are no more: a page of DynamoDB's own may be short, or empty, and not be the last. */
  const page = async (query: QueryCommandInput, limit: number, start?: Item): Promise<Page> => {
    const items: Item[] = [];
    let last = start;
    let readUnits = 0;
    do {
      const answer = await db.send(
        new QueryCommand({
          ...query,
          Limit: limit - items.length,
          ExclusiveStartKey: last,
          ReturnConsumedCapacity: 'TOTAL',
        }),
      );
      items.push(...(answer.Items ?? []));
      readUnits += answer.ConsumedCapacity?.CapacityUnits ?? 0;
      last = answer.LastEvaluatedKey;
    } while (last && items.length < limit);
    return { items, ...(last ? { last } : {}), readUnits };
  };
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
    async getAll(organisation, keys) {
      return getSeveral(
        db,
        name,
        keys.map(([collection, sk]) => key(organisation, collection, sk)),
      );
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
      return page(
        {
          TableName: name,
          ...(input.index ? { IndexName: input.index } : { ConsistentRead: input.consistent ?? false }),
          KeyConditionExpression: `pk = :pk${range}`,
          ...(range ? { ExpressionAttributeNames: { '#sk': sortKey } } : {}),
          ExpressionAttributeValues: {
            ':pk': key(input.organisation, input.collection, '').pk,
            ...(between ? { ':sk': between.from, ':to': between.to } : {}),
          },
          ScanIndexForward: !input.descending,
        },
        input.limit,
        input.start,
      );
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
      const { items } = await page(
        {
          TableName: name,
          IndexName: 'byDue',
          KeyConditionExpression: 'openKey = :open AND dueAt <= :before',
          ExpressionAttributeValues: { ':open': openKey(organisation), ':before': before },
        },
        limit,
      );
      return items;
    },
  };
}

/** Partition of the reconciler's index: set on unfinished work, removed with its last transition. */
export const openKey = (organisation: string) => `${organisation}#open`;
