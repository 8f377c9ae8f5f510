/** Several items in one call, on the real engine. */
import { BatchGetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RealTable, startRealTable } from './real-table.ts';

let real: RealTable;
beforeAll(async () => {
  real = await startRealTable();
});
afterAll(() => real.stop());

test('several items are answered in the order of their keys, with nothing where there is none', async () => {
  const { table } = real;
  await table.put('acme', 'builds', 'b1', { is: 'a build' });
  await table.put('acme', 'images', 'i1', { is: 'an image' });
  await table.put('umbrella', 'images', 'i2', { is: 'of somebody else' });
  const found = await table.getAll('acme', [
    ['images', 'i2'],
    ['images', 'i1'],
    ['builds', 'b1'],
  ]);
  expect(found.map((item) => item?.is)).toEqual([undefined, 'an image', 'a build']);
});

test('what does not fit into one answer of DynamoDB is asked for again', async () => {
  const { table, client } = real;
  const names = Array.from({ length: 50 }, (_, i) => `large${i}`);
  const text = 'x'.repeat(390_000);
  for (const name of names) await table.put('acme', 'readmes', name, { name, text });
  const Keys = names.map((name) => ({ pk: { S: table.key('acme', 'readmes', name).pk }, sk: { S: name } }));
  const { UnprocessedKeys } = await client.send(
    new BatchGetItemCommand({ RequestItems: { [table.name]: { Keys } } }),
  );
  expect(UnprocessedKeys?.[table.name]?.Keys?.length).toBeGreaterThan(0);
  const found = await table.getAll(
    'acme',
    names.map((name) => ['readmes', name]),
  );
  expect(found.map((item) => item?.name)).toEqual(names);
});
