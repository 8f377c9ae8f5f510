import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DynamoEngine, startEngine } from '../../../local/dynamodb/engine.ts';
import { freePort, listen } from '../../../local/ports.ts';
import { type TestCloud, testCloud } from '../test-cloud.ts';

let cloud: TestCloud;
let engine: DynamoEngine | undefined;
beforeEach(() => {
  cloud = testCloud();
});
afterEach(async () => {
  await engine?.stop();
  engine = undefined;
  cloud.remove();
});

/** Processes of this home's engine whose program ends so. */
const processesOf = (program: string): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const [first = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return first.endsWith(program) && args.some((one) => one.startsWith(cloud.home));
      } catch {
        // It has ended.
        return false;
      }
    })
    .map(Number);

const table = {
  TableName: 'items',
  KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
  BillingMode: 'PAY_PER_REQUEST',
};

describe('an engine that ends by itself', () => {
  test.each([
    ['the engine', '/dynoxide'],
    ['its connector', '/node'],
  ])('is started again with its tables: %s was killed', async (_, program) => {
    engine = await startEngine(cloud);
    const running = engine;
    await running.ask('CreateTable', table);
    const before = processesOf('/dynoxide');
    for (const pid of processesOf(program)) process.kill(pid, 'SIGKILL');
    await expect
      .poll(() => cloud.logged)
      .toEqual([
        'dynamodb: The DynamoDB engine has ended (ended by SIGKILL). Starting it again; requests wait.',
      ]);
    // From the line on, requests wait for the new one.
    expect(await running.ask('ListTables', {})).toEqual({ TableNames: ['items'] });
    const after = processesOf('/dynoxide');
    expect(after).toHaveLength(1);
    expect(after).not.toEqual(before);
    expect(cloud.logged).toHaveLength(1);
  });

  test('a request that it did not answer fails as a fault of the service, which clients try again', async () => {
    engine = await startEngine(cloud);
    const running = engine;
    const asked = Array.from({ length: 300 }, () => running.ask('ListTables', {}).catch((error) => error));
    for (const pid of processesOf('/dynoxide')) process.kill(pid, 'SIGKILL');
    for (const one of await Promise.all(asked))
      if (one instanceof Error) expect(one).toMatchObject({ code: 'InternalServerError', status: 500 });
  });

  test('ends for good when it is stopped', async () => {
    engine = await startEngine(cloud);
    await engine.stop();
    engine = undefined;
    expect(processesOf('/dynoxide')).toEqual([]);
    expect(cloud.logged).toEqual([]);
  });
});

test('an endpoint that is away is named, in a line for each request', async () => {
  const server = createServer((_incoming, response) => response.end('{}'));
  const port = await listen(server, await freePort());
  engine = await startEngine(cloud, `http://127.0.0.1:${port}`);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await expect(engine.call('GetItem', '{}')).rejects.toMatchObject({ code: 'InternalServerError' });
  expect(cloud.logged).toEqual([
    expect.stringMatching(
      `dynamodb: GetItem at http://127.0.0.1:${port}: The DynamoDB engine did not answer`,
    ),
  ]);
});
