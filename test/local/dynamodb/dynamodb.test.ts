import {
  BatchWriteItemCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactGetItemsCommand,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { functionRole } from '../assembly.ts';
import { type EmbeddedCloud, startEmbeddedCloud } from '../embedded-cloud.ts';

const TableName = 'items';
const arn = { 'Fn::GetAtt': ['Items', 'Arn'] };
const indexes = { 'Fn::Sub': `\${Items.Arn}/index/*` };
const named = (name: string, ...statements: object[]) => {
  const role = functionRole(...statements);
  return { ...role, Properties: { ...role.Properties, RoleName: name } };
};
const own = { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['acme'] } };

const table = (indexNames: string[]) => ({
  Type: 'AWS::DynamoDB::Table',
  Properties: {
    TableName,
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    AttributeDefinitions: ['pk', 'sk', ...indexNames].map((AttributeName) => ({
      AttributeName,
      AttributeType: 'S',
    })),
    GlobalSecondaryIndexes: indexNames.map((name) => ({
      IndexName: name,
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: name, KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'ALL' },
    })),
    TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
  },
});

const resources = {
  Items: table(['colour']),
  Reader: named(
    'reader',
    { Effect: 'Allow', Action: ['dynamodb:GetItem', 'dynamodb:Query'], Resource: arn },
    { Effect: 'Allow', Action: 'dynamodb:PutItem', Resource: arn },
  ),
  IndexReader: named('index-reader', { Effect: 'Allow', Action: 'dynamodb:Query', Resource: indexes }),
  Tenant: named('tenant', {
    Effect: 'Allow',
    Action: 'dynamodb:*',
    Resource: [arn, indexes],
    Condition: own,
  }),
};

let cloud: EmbeddedCloud;
let root: DynamoDBClient;
const clients: DynamoDBClient[] = [];

beforeAll(async () => {
  cloud = await startEmbeddedCloud({ stacks: { main: { Resources: resources } } });
  root = new DynamoDBClient(cloud.client);
});

afterAll(async () => {
  for (const client of [root, ...clients]) client?.destroy();
  await cloud?.remove();
});

function as(role: string): DynamoDBClient {
  const client = new DynamoDBClient(cloud.clientOf(role));
  clients.push(client);
  return client;
}

const item = (pk: string, sk: string, colour = 'red') => ({
  pk: { S: pk },
  sk: { S: sk },
  colour: { S: colour },
});
const query = (pk: string, IndexName?: string) =>
  new QueryCommand({
    TableName,
    IndexName,
    KeyConditionExpression: '#pk = :pk',
    ExpressionAttributeNames: { '#pk': 'pk' },
    ExpressionAttributeValues: { ':pk': { S: pk } },
  });

const denied = { name: 'AccessDeniedException' };

describe('policies', () => {
  test('count per action', async () => {
    const reader = as('reader');
    await reader.send(new PutItemCommand({ TableName, Item: item('acme', 'policy') }));
    await reader.send(new GetItemCommand({ TableName, Key: { pk: { S: 'acme' }, sk: { S: 'policy' } } }));
    await expect(reader.send(new ScanCommand({ TableName }))).rejects.toMatchObject(denied);
  });

  test('an index is a resource of its own', async () => {
    await expect(as('reader').send(query('acme', 'colour'))).rejects.toMatchObject(denied);
    await expect(as('index-reader').send(query('acme'))).rejects.toMatchObject(denied);
    await expect(as('index-reader').send(query('acme', 'colour'))).resolves.toBeDefined();
  });

  test('a transaction needs the action of each of its items', async () => {
    const put = { Put: { TableName, Item: item('acme', 'transaction') } };
    const remove = { Delete: { TableName, Key: { pk: { S: 'acme' }, sk: { S: 'x' } } } };
    const reader = as('reader');
    await reader.send(new TransactWriteItemsCommand({ TransactItems: [put] }));
    const both = reader.send(new TransactWriteItemsCommand({ TransactItems: [put, remove] }));
    await expect(both).rejects.toMatchObject({ ...denied, message: expect.stringContaining('DeleteItem') });
  });

  test('leading keys bind every way to read and write', async () => {
    const tenant = as('tenant');
    await tenant.send(new PutItemCommand({ TableName, Item: item('acme', 'leading') }));
    await tenant.send(query('acme'));
    await tenant.send(query('acme', 'colour'));
    const key = { pk: { S: 'globex' }, sk: { S: 'x' } };
    for (const foreign of [
      tenant.send(new GetItemCommand({ TableName, Key: key })),
      tenant.send(new PutItemCommand({ TableName, Item: item('globex', 'x') })),
      tenant.send(query('globex')),
      tenant.send(query('globex', 'colour')),
      tenant.send(new TransactGetItemsCommand({ TransactItems: [{ Get: { TableName, Key: key } }] })),
      tenant.send(
        new BatchWriteItemCommand({ RequestItems: { [TableName]: [{ DeleteRequest: { Key: key } }] } }),
      ),
    ]) {
      await expect(foreign).rejects.toMatchObject(denied);
    }
  });
});

describe("the engine's answers arrive as they are", () => {
  test('a failed condition gives the old item', async () => {
    await root.send(new PutItemCommand({ TableName, Item: item('acme', 'condition', 'blue') }));
    const put = new PutItemCommand({
      TableName,
      Item: item('acme', 'condition'),
      ConditionExpression: 'attribute_not_exists(pk)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    await expect(root.send(put)).rejects.toMatchObject({
      name: 'ConditionalCheckFailedException',
      Item: { colour: { S: 'blue' } },
    });
  });

  test('a cancelled transaction says why, item by item', async () => {
    const put = new TransactWriteItemsCommand({
      TransactItems: [
        { Put: { TableName, Item: item('acme', 'fresh') } },
        {
          Put: {
            TableName,
            Item: item('acme', 'condition'),
            ConditionExpression: 'attribute_not_exists(pk)',
          },
        },
      ],
    });
    await expect(root.send(put)).rejects.toMatchObject({
      name: 'TransactionCanceledException',
      CancellationReasons: [{ Code: 'None' }, { Code: 'ConditionalCheckFailed' }],
    });
  });
});

describe('limits', () => {
  test.each<[string, () => Promise<unknown>, string]>([
    [
      'an item above 400 KB',
      () =>
        root.send(
          new PutItemCommand({ TableName, Item: { ...item('a', 'b'), fat: { S: 'x'.repeat(410_000) } } }),
        ),
      'ValidationException',
    ],
    [
      'a transaction of more than 100 actions',
      () =>
        root.send(
          new TransactWriteItemsCommand({
            TransactItems: Array.from({ length: 101 }, (_, index) => ({
              Put: { TableName, Item: item('limit', String(index)) },
            })),
          }),
        ),
      'ValidationException',
    ],
    [
      'a consistent read of an index',
      () => root.send(new QueryCommand({ ...query('acme', 'colour').input, ConsistentRead: true })),
      'ValidationException',
    ],
    [
      'a table that is not there',
      () => root.send(new GetItemCommand({ TableName: 'nothing', Key: { pk: { S: 'a' } } })),
      'ResourceNotFoundException',
    ],
  ])('%s', async (_, call, name) => {
    await expect(call()).rejects.toMatchObject({ name });
  });
});

test('a start with another index adds it, and the items stay', async () => {
  const first = await startEmbeddedCloud({ stacks: { main: { Resources: { Items: table(['colour']) } } } });
  let client = new DynamoDBClient(first.client);
  const both = { ...item('acme', 'kept'), shape: { S: 'round' } };
  await client.send(new PutItemCommand({ TableName, Item: both }));
  client.destroy();
  const second = await first.restart({ stacks: { main: { Resources: { Items: table(['shape']) } } } });
  client = new DynamoDBClient(second.client);
  try {
    const { Items } = await client.send(query('acme', 'shape'));
    expect(Items).toEqual([both]);
    await expect(client.send(query('acme', 'colour'))).rejects.toMatchObject({ name: 'ValidationException' });
  } finally {
    client.destroy();
    await second.remove();
  }
});

test('a table is described with its own ARNs, of its indexes too', async () => {
  const { Table } = await new DynamoDBClient(cloud.client).send(new DescribeTableCommand({ TableName }));
  const expected = `arn:aws:dynamodb:us-east-1:000000000000:table/${TableName}`;
  expect(Table?.TableArn).toBe(expected);
  for (const index of Table?.GlobalSecondaryIndexes ?? [])
    expect(index.IndexArn).toBe(`${expected}/index/${index.IndexName}`);
});
