/** What an operation touches, as DynamoDB's policies name it: actions, table and index ARNs, leading keys. */
import { AwsError } from '../platform.ts';

// biome-ignore lint/suspicious/noExplicitAny: wire input
type Input = any;

export interface Access {
  action: string;
  /** Table name, and the index where one is read. */
  table: string;
  index?: string;
  /** Partition key values, where the operation names them. */
  leadingKeys: string[];
}

/** The partition key's attribute of a table or one of its indexes. */
export type PartitionKeyOf = (table: string, index?: string) => string | undefined;

type AttributeValue = Record<string, unknown>;

const plain = (value: AttributeValue | undefined): string[] =>
  value === undefined ? [] : [String(Object.values(value)[0])];

/** Tables may be named by ARN. */
const tableName = (nameOrArn: unknown): string => String(nameOrArn ?? '').replace(/^.*:table\//, '');

/** Reads `#pk = :pk` out of a key condition; DynamoDB demands exactly such an equality. */
function queriedKeys(input: Input, attribute: string | undefined): string[] {
  const names: Record<string, string> = input.ExpressionAttributeNames ?? {};
  const values: Record<string, AttributeValue> = input.ExpressionAttributeValues ?? {};
  const equalities = String(input.KeyConditionExpression ?? '').matchAll(/([#\w.-]+)\s*=\s*(:\w+)/g);
  for (const [, name = '', value = ''] of equalities) {
    if ((names[name] ?? name) === attribute) return plain(values[value]);
  }
  return [];
}

function single(
  action: string,
  input: Input,
  item: Record<string, AttributeValue> | undefined,
  keyOf: PartitionKeyOf,
): Access {
  const table = tableName(input.TableName);
  return { action, table, leadingKeys: plain(item?.[keyOf(table) ?? '']) };
}

const transactActions = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
  Get: 'GetItem',
} as const;

function transaction(input: Input, keyOf: PartitionKeyOf): Access[] {
  return (input.TransactItems ?? []).flatMap((entry: Input) =>
    Object.entries(transactActions).flatMap(([kind, action]) => {
      const one = entry[kind];
      return one ? [single(action, one, one.Key ?? one.Item, keyOf)] : [];
    }),
  );
}

function batch(
  action: string,
  input: Input,
  itemsOf: (entry: Input) => Input[],
  keyOf: PartitionKeyOf,
): Access[] {
  return Object.entries(input.RequestItems ?? {}).map(([name, entry]) => {
    const table = tableName(name);
    const leadingKeys = itemsOf(entry).flatMap((item) => plain(item?.[keyOf(table) ?? '']));
    return { action, table, leadingKeys };
  });
}

const readers: Record<string, (input: Input, keyOf: PartitionKeyOf) => Access[]> = {
  GetItem: (input, keyOf) => [single('GetItem', input, input.Key, keyOf)],
  PutItem: (input, keyOf) => [single('PutItem', input, input.Item, keyOf)],
  UpdateItem: (input, keyOf) => [single('UpdateItem', input, input.Key, keyOf)],
  DeleteItem: (input, keyOf) => [single('DeleteItem', input, input.Key, keyOf)],
  Query: (input, keyOf) => {
    const table = tableName(input.TableName);
    const leadingKeys = queriedKeys(input, keyOf(table, input.IndexName));
    return [{ action: 'Query', table, index: input.IndexName, leadingKeys }];
  },
  Scan: (input) => [
    { action: 'Scan', table: tableName(input.TableName), index: input.IndexName, leadingKeys: [] },
  ],
  BatchGetItem: (input, keyOf) => batch('BatchGetItem', input, (entry) => entry.Keys ?? [], keyOf),
  BatchWriteItem: (input, keyOf) =>
    batch(
      'BatchWriteItem',
      input,
      (entry) => entry.map((one: Input) => one.PutRequest?.Item ?? one.DeleteRequest?.Key),
      keyOf,
    ),
  TransactGetItems: transaction,
  TransactWriteItems: transaction,
  DescribeTable: (input) => [{ action: 'DescribeTable', table: tableName(input.TableName), leadingKeys: [] }],
  DescribeTimeToLive: (input) => [
    { action: 'DescribeTimeToLive', table: tableName(input.TableName), leadingKeys: [] },
  ],
  ListTables: () => [{ action: 'ListTables', table: '*', leadingKeys: [] }],
};

/** @throws AwsError `UnsupportedOperation` for operations that aren't served */
export function accessesOf(operation: string, input: Input, keyOf: PartitionKeyOf): Access[] {
  const reader = Object.hasOwn(readers, operation) ? readers[operation] : undefined;
  if (!reader)
    throw new AwsError(
      'UnsupportedOperation',
      `The embedded cloud does not implement dynamodb:${operation}.`,
    );
  return reader(input, keyOf);
}
