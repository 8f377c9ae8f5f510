import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type EngineProcess, startEngineProcess } from '../../../local/dynamodb/engine-process.ts';
import { type TestCloud, testCloud } from '../test-cloud.ts';

let cloud: TestCloud;
let engine: EngineProcess | undefined;
beforeEach(() => {
  cloud = testCloud();
});
afterEach(async () => {
  await engine?.stop();
  engine = undefined;
  cloud.remove();
});

/** dynoxide's own process: the one whose program it is, with the database of this home. */
function engineProcess(): string | undefined {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .find((pid) => {
      try {
        const [program = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return program.endsWith('/dynoxide') && args.some((one) => one.startsWith(cloud.home));
      } catch {
        // It has ended.
        return false;
      }
    });
}

const signed = {
  'content-type': 'application/x-amz-json-1.0',
  'x-amz-date': '20260101T000000Z',
  'x-amz-target': 'DynamoDB_20120810.ListTables',
  authorization:
    'AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=0',
};

const answered = ({ agent }: EngineProcess): Promise<unknown> =>
  new Promise((resolve, reject) => {
    request({ agent, headers: signed, method: 'POST' }, (answer) => resolve(json(answer)))
      .on('error', reject)
      .end('{}');
  });

const refused = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    connect(port, '127.0.0.1')
      .on('connect', () => resolve(false))
      .on('error', () => resolve(true));
  });

test('the engine answers the cloud, and has no port that others could find', async () => {
  engine = await startEngineProcess(cloud);
  const running = engine;
  await expect.poll(() => answered(running).catch(String)).toEqual({ TableNames: [] });
  expect(cloud.logged).toEqual([]);
  const pid = engineProcess();
  expect(pid).toBeDefined();
  expect(readlinkSync(`/proc/${pid}/ns/net`)).not.toBe(readlinkSync('/proc/self/ns/net'));
});

test('many connections at once are opened, and end with the engine', async () => {
  engine = await startEngineProcess(cloud);
  const running = engine;
  await expect.poll(() => answered(running).catch(String)).toEqual({ TableNames: [] });
  const answers = await Promise.all(Array.from({ length: 200 }, () => answered(running)));
  expect(new Set(answers.map((one) => JSON.stringify(one)))).toEqual(new Set(['{"TableNames":[]}']));
  process.kill(Number(engineProcess()), 'SIGKILL');
  await expect.poll(() => running.hasEnded()).toBeDefined();
  await expect(answered(running)).rejects.toThrow();
});

test('where no network can be made, it says which port is open to all, and works', async () => {
  engine = await startEngineProcess(cloud, [['no-such-program'], ['sh', '-c', 'echo denied >&2; exit 1']]);
  const running = engine;
  await expect.poll(() => answered(running).catch(String)).toEqual({ TableNames: [] });
  expect(cloud.logged).toHaveLength(1);
  const [, reason, port] =
    /engine \((.*)\)\. The engine listens on 127\.0\.0\.1:(\d+)/.exec(cloud.logged[0] ?? '') ?? [];
  expect(reason).toBe('denied');
  expect(await refused(Number(port))).toBe(false);
});
