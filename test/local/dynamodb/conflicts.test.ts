import {
  DynamoDBClient,
  PutItemCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { tableDefinition } from '../../shared/store/real-table.ts';
import { startEmbeddedCloud } from '../embedded-cloud.ts';

const TableName = 'items';
const Items = { Type: 'AWS::DynamoDB::Table', Properties: tableDefinition(TableName) };
const Key = (name: string) => ({ pk: { S: 'acme' }, sk: { S: name } });
const put = (name: string) => ({ Put: { TableName, Item: Key(name) } });
const check = (name: string) => ({
  ConditionCheck: { TableName, Key: Key(name), ConditionExpression: 'attribute_not_exists(colour)' },
});

/** @param dynamodb options of the service */
async function withTable(
  dynamodb: { transactionMs?: number },
  run: (client: DynamoDBClient) => Promise<void>,
) {
  const cloud = await startEmbeddedCloud({ stacks: { data: { Resources: { Items } } } }, { dynamodb });
  const client = new DynamoDBClient({ ...cloud.client, maxAttempts: 1 });
  try {
    await run(client);
  } finally {
    client.destroy();
    await cloud.remove();
  }
}

/** Whether it was done, or why not. */
async function transact(client: DynamoDBClient, ...TransactItems: object[]): Promise<string | undefined> {
  try {
    await client.send(new TransactWriteItemsCommand({ TransactItems }));
    return 'done';
  } catch (error) {
    if (!(error instanceof TransactionCanceledException)) throw error;
    return error.CancellationReasons?.map(({ Code }) => Code).join();
  }
}

test('of two transactions that meet on an item one is cancelled, and so is a single write; others go on', () =>
  withTable({ transactionMs: 3000 }, async (client) => {
    const writes = [
      transact(client, put('a'), put('b')),
      transact(client, check('a'), check('b')),
      transact(client, put('c')),
    ];
    // Whichever came first goes on; the other is refused at once.
    expect(await Promise.race(writes)).toBe('TransactionConflict,TransactionConflict');
    const single = client.send(new PutItemCommand({ TableName, Item: Key('a') }));
    await expect(single).rejects.toMatchObject({ name: 'TransactionConflictException' });
    expect((await Promise.all(writes)).sort()).toEqual([
      'TransactionConflict,TransactionConflict',
      'done',
      'done',
    ]);
    await client.send(new PutItemCommand({ TableName, Item: Key('a') }));
  }));

test('unless asked for, they are put in order', () =>
  withTable({}, async (client) => {
    const writes = [put('a'), put('a'), check('a')].map((one) => transact(client, one));
    expect(await Promise.all(writes)).toEqual(['done', 'done', 'done']);
  }));
