import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { listen } from '../../../local/ports.ts';
import type { RunningCloud } from '../../../local/start.ts';
import { freePorts } from '../../../scripts/ports.ts';
import { functionRole, temporaryFolder, writeAssembly } from '../assembly.ts';
import { roleCredentials } from '../embedded-cloud.ts';
import { lambdaFunction } from '../http-api.ts';

const folder = temporaryFolder();
const home = join(folder.path, 'home');
const assembly = join(folder.path, 'cdk.out');
const marks = join(folder.path, 'marks');
const started: ChildProcess[] = [];

beforeAll(() => {
  mkdirSync(assembly);
  mkdirSync(marks);
  const role = functionRole({ Effect: 'Allow', Action: 'dynamodb:*', Resource: '*' });
  writeAssembly(assembly, {
    functions: {
      worker: `import { existsSync, writeFileSync } from 'node:fs';
        export const handler = async ({ name, until }) => {
          writeFileSync(${JSON.stringify(`${marks}/`)} + name + '-' + process.pid, '');
          while (until && !existsSync(until)) await new Promise((resolve) => setTimeout(resolve, 20));
          writeFileSync(${JSON.stringify(`${marks}/`)} + name + '-done', '');
          return process.pid;
        };`,
    },
    stacks: {
      main: {
        Resources: {
          FunctionRole: { ...role, Properties: { ...role.Properties, RoleName: 'worker' } },
          Worker: lambdaFunction('worker'),
          Items: {
            Type: 'AWS::DynamoDB::Table',
            Properties: {
              TableName: 'items',
              KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
              AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
            },
          },
        },
      },
    },
  });
});

afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await gone;
  }
});

afterAll(() => folder.remove());

interface Outcome {
  facts?: Omit<RunningCloud, 'stop'>;
  errors: string;
  child: ChildProcess;
}

function launch(port = 0): Promise<Outcome> {
  const program = fileURLToPath(new URL('./cloud-process.ts', import.meta.url));
  const child = spawn(process.execPath, [program, home, assembly, String(port)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  return new Promise((resolve) => {
    createInterface(child.stdout).once('line', (line) => resolve({ facts: JSON.parse(line), errors, child }));
    child.once('close', () => resolve({ errors, child }));
  });
}

async function running(): Promise<Required<Outcome>> {
  const { facts, errors, child } = await launch();
  if (!facts) throw new Error(errors);
  return { facts, errors, child };
}

async function kill({ child }: Outcome): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

const settings = ({ facts }: Required<Outcome>) => ({
  endpoint: facts.endpointUrl,
  region: facts.region,
  // The SDK writes into what it is given.
  credentials: { ...facts.credentials },
});

/** Processes that `pid` has started, and those that they have. */
function descendantsOf(pid: number | undefined): number[] {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((one) => processState(one)?.parent === pid);
  return [...children, ...children.flatMap(descendantsOf)];
}

/** State and parent of a process; undefined when there is none. */
function processState(pid: number): { state: string; parent: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state = '', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state, parent: Number(parent) };
  } catch {
    // It has ended.
    return undefined;
  }
}

/** Those that still run; what nobody has collected yet (`Z`) doesn't. */
const alive = (pids: number[]) => pids.filter((pid) => ![undefined, 'Z'].includes(processState(pid)?.state));

const exists = (path: string) => statSync(path, { throwIfNoEntry: false }) !== undefined;

describe('kill -9 and a new start', () => {
  test('loses no item, no credentials, and leaves no process behind', async () => {
    const first = await running();
    const write = new DynamoDBClient(settings(first));
    await write.send(new PutItemCommand({ TableName: 'items', Item: { pk: { S: 'kept' } } }));
    write.destroy();
    const lambda = new LambdaClient(settings(first));
    const { Payload } = await lambda.send(
      new InvokeCommand({ FunctionName: 'worker', Payload: JSON.stringify({ name: 'first' }) }),
    );
    lambda.destroy();
    const frozen = JSON.parse(Buffer.from(Payload ?? []).toString()) as number;
    const ofRole = roleCredentials(home, 'worker');
    const children = descendantsOf(first.child.pid);
    expect(children).toContain(frozen);
    expect(children.length).toBeGreaterThanOrEqual(3);

    await kill(first);
    // Function environments and the database, both frozen or not, go by themselves.
    await expect.poll(() => alive(children)).toEqual([]);

    const second = await running();
    expect(second.facts.credentials).toEqual(first.facts.credentials);
    const read = new DynamoDBClient({ ...settings(second), credentials: ofRole });
    const { Item } = await read.send(new GetItemCommand({ TableName: 'items', Key: { pk: { S: 'kept' } } }));
    read.destroy();
    expect(Item).toEqual({ pk: { S: 'kept' } });
  });

  test('runs an asynchronous invocation that was under way again', async () => {
    const first = await running();
    const lambda = new LambdaClient(settings(first));
    await lambda.send(
      new InvokeCommand({
        FunctionName: 'worker',
        InvocationType: 'Event',
        Payload: JSON.stringify({ name: 'async', until: join(marks, 'go') }),
      }),
    );
    lambda.destroy();
    const begun = () => readdirSync(marks).filter((name) => /^async-\d/.test(name)).length;
    await expect.poll(begun).toBe(1);
    await kill(first);
    expect(exists(join(marks, 'async-done'))).toBe(false);
    writeFileSync(join(marks, 'go'), '');
    await running();
    await expect.poll(() => exists(join(marks, 'async-done'))).toBe(true);
    expect(begun()).toBe(2);
  });
});

test('a second start on the same home is refused in one line, and the first goes on', async () => {
  const first = await running();
  const second = await launch();
  expect(second.child.exitCode).toBe(1);
  expect(second.errors.trim().split('\n')).toHaveLength(1);
  expect(second.errors).toContain('An embedded cloud');
  const client = new DynamoDBClient(settings(first));
  await expect(
    client.send(new GetItemCommand({ TableName: 'items', Key: { pk: { S: 'kept' } } })),
  ).resolves.toBeDefined();
  client.destroy();
});

test.each([0, 1, 2])('port %i of the three in use is said in one line', async (offset) => {
  const blocker = createServer();
  const first = await freePorts();
  const taken = await listen(blocker, first + offset);
  try {
    const { child, errors } = await launch(first);
    expect(child.exitCode).toBe(1);
    expect(errors.trim().split('\n')).toEqual([
      `Port ${taken} is in use. Set SLIPWAY_PORT to the first of three free ports.`,
    ]);
  } finally {
    blocker.close();
  }
});

test('SIGTERM ends it and all its processes', async () => {
  const first = await running();
  const children = descendantsOf(first.child.pid);
  const gone = new Promise((resolve) => first.child.once('exit', resolve));
  first.child.kill('SIGTERM');
  expect(await gone).toBe(0);
  await expect.poll(() => alive(children)).toEqual([]);
});
