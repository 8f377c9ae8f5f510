/** Several items in one call, and in several, on the real engine. */
import { BatchGetItemCommand, type QueryCommandInput } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listByTag } from '../../../functions/experiments/tags.ts';
import type { ExperimentRecord } from '../../../shared/experiment/record.ts';
import { readEvents } from '../../../shared/store/advance.ts';
import { list } from '../../../shared/store/list.ts';
import { columnKey, createTable, openKey, type Table } from '../../../shared/store/table.ts';
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

describe('pages of DynamoDB that are short, or empty, and lead on', () => {
  const ids = Array.from({ length: 25 }, (_, i) => `exp_${String(i).padStart(2, '0')}`);
  /** The table behind a client that answers one item at a time, and nothing in between. */
  const hesitant = (): Table => {
    const client = real.connect();
    let last: Record<string, unknown> | undefined;
    client.middlewareStack.add(
      (next, context) => async (call) => {
        const input = call.input as QueryCommandInput;
        if (context.commandName !== 'QueryCommand') return next(call);
        if (input.ExclusiveStartKey && input.ExclusiveStartKey !== last) {
          last = input.ExclusiveStartKey;
          return { response: {}, output: { $metadata: {}, Items: [], LastEvaluatedKey: last } };
        }
        return next({ ...call, input: { ...input, Limit: 1 } });
      },
      { step: 'initialize' },
    );
    return createTable(real.table.name, client);
  };
  beforeAll(async () => {
    for (const [i, id] of ids.entries()) {
      await real.table.put('acme', 'events', `${id}#00000000`, { seq: i, code: 'c', message: id, time: 't' });
      await real.table.put('acme', 'experiments', id, {
        id,
        statusKey: columnKey(i % 5 === 0 ? 'failed' : 'running', id),
        openKey: openKey('acme'),
        dueAt: `2026-11-20T10:00:${String(i).padStart(2, '0')}Z`,
      });
      await real.table.put('acme', 'experiment-tags', columnKey('trial', id), {
        experimentId: id,
        tag: 'trial',
      });
    }
  });

  test('are put together to as many items as were asked for', async () => {
    const asked = { organisation: 'acme', collection: 'experiments', consistent: true } as const;
    const page = await hesitant().query({ ...asked, limit: 10 });
    expect(page.items.map(({ id }) => id)).toEqual(ids.slice(0, 10));
    expect(page.last).toMatchObject({ sk: 'exp_09' });
    const rest = await hesitant().query({ ...asked, limit: 100, start: page.last ?? {} });
    expect(rest.items.map(({ id }) => id)).toEqual(ids.slice(10));
    expect(rest.last).toBeUndefined();
    expect(await hesitant().all('acme', 'experiments')).toHaveLength(25);
  });

  test('hide no open work, no timeline and nothing of a list', async () => {
    const table = hesitant();
    expect(await table.due('acme', '2026-11-21', 20)).toHaveLength(20);
    expect(await readEvents(table, 'acme', 'exp_03', 0, 10)).toHaveLength(1);
    const columns = { status: 'byStatus' } as const;
    const failed = await list(table, {
      organisation: 'acme',
      collection: 'experiments',
      columns,
      searched: [],
      limit: 3,
      sort: '-createdAt',
      filters: { status: 'failed' },
    });
    expect(failed.items.map(({ id }) => id)).toEqual(['exp_20', 'exp_15', 'exp_10']);
    expect(failed.nextCursor).toBeDefined();
  });

  test('let a list by tag examine all of them', async () => {
    const asked = { tag: 'trial', sort: 'createdAt', limit: 3 } as const;
    const accepts = ({ statusKey }: ExperimentRecord) => statusKey.startsWith('failed');
    const { records, nextCursor } = await listByTag(hesitant(), 'acme', asked, accepts);
    expect(records.map(({ id }) => id)).toEqual(['exp_00', 'exp_05', 'exp_10']);
    const { records: others } = await listByTag(
      hesitant(),
      'acme',
      { ...asked, cursor: nextCursor },
      accepts,
    );
    expect(others.map(({ id }) => id)).toEqual(['exp_15', 'exp_20']);
  });
});
