/** Global indexes that follow their table a moment later, on the real engine and with a clock that a test moves. */
import {
  DynamoDBClient,
  PutItemCommand,
  QueryCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDynamoDb } from '../../../local/dynamodb/dynamodb.ts';
import { type CloudWithEndpoint, createCloudWithEndpoint } from '../cloud-with-endpoint.ts';

const TableName = 'items';
const indexLagMs = 200;

let cloud: CloudWithEndpoint;
let client: DynamoDBClient;
let time = new Date();
beforeAll(async () => {
  cloud = await createCloudWithEndpoint();
  Object.assign(cloud, { now: () => time });
  const dynamoDb = createDynamoDb(cloud, { indexLagMs });
  cloud.serve(dynamoDb);
  await dynamoDb.deploy?.([
    {
      stack: 'main',
      logicalId: 'Items',
      type: 'AWS::DynamoDB::Table',
      physicalId: TableName,
      attributes: {},
      properties: {
        TableName,
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
        AttributeDefinitions: ['pk', 'sk', 'colour'].map((AttributeName) => ({
          AttributeName,
          AttributeType: 'S',
        })),
        GlobalSecondaryIndexes: [
          {
            IndexName: 'colour',
            KeySchema: [
              { AttributeName: 'pk', KeyType: 'HASH' },
              { AttributeName: 'colour', KeyType: 'RANGE' },
            ],
            Projection: { ProjectionType: 'ALL' },
          },
        ],
      },
    },
  ]);
  client = new DynamoDBClient(cloud.client());
});
afterAll(async () => {
  client?.destroy();
  await cloud?.close();
});

const elapse = (milliseconds: number) => {
  time = new Date(time.getTime() + milliseconds);
};
const item = (pk: string, sk: string) => ({ pk: { S: pk }, sk: { S: sk }, colour: { S: 'red' } });
const put = (Item: PutItemCommand['input']['Item']) => client.send(new PutItemCommand({ TableName, Item }));
const update = (pk: string, sk: string, attribute: string, value: { S: string } | { N: string }) =>
  client.send(
    new UpdateItemCommand({
      TableName,
      Key: { pk: { S: pk }, sk: { S: sk } },
      UpdateExpression: 'SET #attribute = :value',
      ExpressionAttributeNames: { '#attribute': attribute },
      ExpressionAttributeValues: { ':value': value },
    }),
  );
async function itemsOf(pk: string, IndexName?: string) {
  const { Items = [], Count } = await client.send(
    new QueryCommand({
      TableName,
      IndexName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: pk } },
    }),
  );
  expect(Count).toBe(Items.length);
  return Items;
}
const sortKeys = async (index?: string) => (await itemsOf('lag', index)).map(({ sk }) => sk?.S);

test('what was written just now is in the table, and in its index a moment later', async () => {
  await put(item('lag', 'old'));
  elapse(indexLagMs);
  await put(item('lag', 'put'));
  await update('lag', 'updated', 'colour', { S: 'red' });
  await client.send(
    new TransactWriteItemsCommand({
      TransactItems: [{ Put: { TableName, Item: item('lag', 'transacted') } }],
    }),
  );
  elapse(indexLagMs - 1);
  expect(await sortKeys()).toEqual(['old', 'put', 'transacted', 'updated']);
  expect(await sortKeys('colour')).toEqual(['old']);
  elapse(1);
  expect(new Set(await sortKeys('colour'))).toEqual(new Set(['old', 'put', 'transacted', 'updated']));
});

test('an item is seen in the index as it was, then as it is; and not at all while it moves', async () => {
  const seen = () => itemsOf('change', 'colour');
  const before = { ...item('change', 'one'), size: { N: '1' } };
  await put(before);
  elapse(indexLagMs);
  await update('change', 'one', 'size', { N: '2' });
  expect(await seen()).toEqual([before]);
  elapse(indexLagMs);
  expect(await seen()).toEqual([{ ...before, size: { N: '2' } }]);
  await update('change', 'one', 'colour', { S: 'blue' });
  expect(await seen()).toEqual([]);
  elapse(indexLagMs);
  expect(await seen()).toEqual([{ ...before, size: { N: '2' }, colour: { S: 'blue' } }]);
});
