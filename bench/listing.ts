/** A page of 50 images among 100 and among 100,000: consumed read units and time, for every sort and every filter. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BatchWriteCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { run } from '../scripts/command.ts';
import { newId } from '../shared/model/id.ts';
import { type IndexName, indexes } from '../shared/model/indexes.ts';
import { type ListRequest, list } from '../shared/store/list.ts';
import { columnKey, createTable, type Table } from '../shared/store/table.ts';
import { inTurn, median, ms, type Section } from './report.ts';
import { createDeclaredTable } from './table-definition.ts';

const columns: Record<string, IndexName> = {
  status: 'byStatus',
  repository: 'byRepository',
  tag: 'byTag',
  registryId: 'byRegistry',
  author: 'byAuthor',
};
const repeats = 15;

export async function listing(): Promise<Section> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  const port = await freePort();
  const engine = spawn(
    resolve('node_modules/@dynoxide/linux-x64/dynoxide'),
    ['--port', String(port), '--db-path', join(folder, 'table.db')],
    { stdio: 'ignore' },
  );
  try {
    const client = new DynamoDBClient({
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
    });
    const assembly = join(folder, 'cdk.out');
    await run(process.execPath, ['node_modules/aws-cdk/bin/cdk', 'synth', '-q', '-o', assembly]);
    await createDeclaredTable(client, 'bench', assembly);
    const table = createTable('bench', client);
    await fill(client, table, 'few', 100);
    await fill(client, table, 'many', 100_000);
    const rows = [];
    for (const [name, request] of queries()) {
      const units = { few: 0, many: 0 };
      const page = async (organisation: 'few' | 'many') => {
        const answer = await list(table, { ...request, organisation });
        units[organisation] = answer.readUnits;
        if (answer.items.length !== 50)
          throw new Error(`${name} among ${organisation}: ${answer.items.length} items`);
      };
      const { a, b } = await inTurn(
        repeats,
        () => page('many'),
        () => page('few'),
      );
      rows.push({
        what: name,
        measured: `${units.many} RCU, ${ms(median(a))}`,
        beside: `${units.few} RCU, ${ms(median(b))}`,
        goal: 'same RCU, time ≤ 1.5×',
        met: units.many <= units.few * 1.05 && median(a) <= median(b) * 1.5,
      });
    }
    return {
      title: 'Listing',
      how: `A page of 50 among 100,000 images beside a page of 50 among 100, through the product's own list code on the same engine, in turn, medians of ${repeats}.`,
      rows,
    };
  } finally {
    engine.kill();
    await once(engine, 'exit');
    await rm(folder, { recursive: true });
  }
}

function queries(): [string, ListRequest][] {
  const base = {
    organisation: '',
    collection: 'images' as const,
    limit: 50,
    sort: '-createdAt',
    filters: {},
    columns,
    searched: [],
  };
  return [
    ...['createdAt', ...Object.keys(columns)].flatMap((column): [string, ListRequest][] => [
      [`sort ${column}`, { ...base, sort: column }],
      [`sort -${column}`, { ...base, sort: `-${column}` }],
    ]),
    ...Object.keys(columns).map((column): [string, ListRequest] => [
      `filter ${column}`,
      { ...base, filters: { [column]: value(column, 0) } },
    ]),
  ];
}

/** The first value of a column occurs in 60 of the first 100, so that both sizes answer a full page with a cursor. */
const value = (column: string, i: number) => `${column}-${i % 5 < 3 ? 0 : 1}`;

async function fill(
  client: DynamoDBClient,
  table: Table,
  organisation: string,
  count: number,
): Promise<void> {
  const db = DynamoDBDocumentClient.from(client);
  const image = (i: number) => {
    const id = newId('image', 1_795_000_000_000 + i);
    const item: Record<string, unknown> = {
      ...table.key(organisation, 'images', id),
      id,
      readme: 'x'.repeat(400),
    };
    for (const [column, index] of Object.entries(columns)) {
      item[column] = value(column, i);
      item[indexes[index]] = columnKey(value(column, i), id);
    }
    return { PutRequest: { Item: item } };
  };
  const batches = Array.from({ length: Math.ceil(count / 25) }, (_, b) => b);
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      for (let b = batches.pop(); b !== undefined; b = batches.pop()) {
        const requests = Array.from({ length: Math.min(25, count - b * 25) }, (_, i) =>
          image((b as number) * 25 + i),
        );
        await db.send(new BatchWriteCommand({ RequestItems: { bench: requests } }));
      }
    }),
  );
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || !address) throw new Error('no port');
  return address.port;
}
