/** The table on a real engine of its own, in memory, with the indexes that `shared/store` reads. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateTableCommand, DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { freePorts } from '../../../scripts/ports.ts';
import { indexes } from '../../../shared/model/indexes.ts';
import { createTable, type Table } from '../../../shared/store/table.ts';

export interface RealTable {
  table: Table;
  client: DynamoDBClient;
  /** Another client of it. */
  connect(): DynamoDBClient;
  stop(): Promise<void>;
}

const engine = join(import.meta.dirname, '../../../node_modules/@dynoxide/linux-x64/dynoxide');

/** Key schema, attributes and indexes of the one table. */
export function tableDefinition(TableName: string) {
  const keys = Object.values(indexes);
  const index = (IndexName: string, hash: string, range: string) => ({
    IndexName,
    KeySchema: [
      { AttributeName: hash, KeyType: 'HASH' as const },
      { AttributeName: range, KeyType: 'RANGE' as const },
    ],
    Projection: { ProjectionType: 'ALL' as const },
  });
  return {
    TableName,
    BillingMode: 'PAY_PER_REQUEST' as const,
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' as const },
      { AttributeName: 'sk', KeyType: 'RANGE' as const },
    ],
    AttributeDefinitions: ['pk', 'sk', ...keys, 'openKey', 'dueAt'].map((AttributeName) => ({
      AttributeName,
      AttributeType: 'S' as const,
    })),
    GlobalSecondaryIndexes: [
      ...Object.entries(indexes).map(([name, key]) => index(name, 'pk', key)),
      index('byDue', 'openKey', 'dueAt'),
    ],
  };
}

export async function startRealTable(): Promise<RealTable> {
  const port = await freePorts();
  const child = spawn(engine, ['--port', String(port)], { stdio: 'ignore' });
  const connect = () =>
    new DynamoDBClient({
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
    });
  const client = connect();
  for (let tries = 0; ; tries++) {
    try {
      await client.send(new ListTablesCommand({}));
      break;
    } catch (error) {
      if (tries > 600 || child.exitCode !== null) throw error;
      await sleep(50);
    }
  }
  await client.send(new CreateTableCommand(tableDefinition('slipway')));
  return {
    table: createTable('slipway', client),
    client,
    connect,
    async stop() {
      client.destroy();
      child.kill();
      if (child.exitCode === null) await new Promise((ended) => child.once('exit', ended));
    },
  };
}
