import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { capacityOf } from '../../../local/lambda/capacity.ts';
import { functionRole } from '../assembly.ts';
import { type EmbeddedCloud, startEmbeddedCloud } from '../embedded-cloud.ts';
import { apiPermission, httpApi, lambdaFunction } from '../http-api.ts';

const GiB = 1024 ** 3;

describe('a machine bears so many environments', () => {
  test.each([
    { memory: 1 * GiB, cores: 1, environments: 4 },
    { memory: 4 * GiB, cores: 4, environments: 17 },
    { memory: 24 * GiB, cores: 2, environments: 100 },
    { memory: 256 * GiB, cores: 2, environments: 100 },
    { memory: 64 * GiB, cores: 32, environments: 273 },
  ])('$memory bytes, $cores cores: $environments', ({ memory, cores, environments }) => {
    const capacity = capacityOf(memory, cores);
    expect(capacity.environments).toBe(environments);
    expect(capacity.perFunction).toBeLessThan(environments);
  });
});

const capacity = { environments: 3, perFunction: 2, starting: 2, patienceMs: 600_000 };
/** No start of an environment is sure to be as quick as this. */
const impatience = 1000;

/** With a gate, an invocation says that it is there and stays until the gate is open. */
const probe = `import { existsSync, writeFileSync } from 'node:fs';
export const handler = async ({ gate }) => {
  if (gate) {
    writeFileSync(gate + '/' + process.pid, '');
    while (!existsSync(gate + '/open')) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { pid: process.pid };
};`;

const clouds: EmbeddedCloud[] = [];

async function start(patienceMs: number): Promise<EmbeddedCloud> {
  const cloud = await startEmbeddedCloud(
    {
      functions: { probe },
      stacks: {
        main: {
          Resources: {
            FunctionRole: functionRole(),
            First: lambdaFunction('probe', { FunctionName: 'first', Timeout: 300 }),
            Second: lambdaFunction('probe', { FunctionName: 'second', Timeout: 300 }),
            ...httpApi([{ key: 'GET /v1/first', target: 'First', open: true, timeoutMs: 5000 }]),
            FirstPermission: apiPermission('First'),
          },
        },
      },
    },
    { lambda: { capacity: { ...capacity, patienceMs } } },
  );
  clouds.push(cloud);
  return cloud;
}

afterAll(async () => {
  for (const cloud of clouds) await cloud.remove();
});

async function invoke(cloud: EmbeddedCloud, name: string, event: object = {}): Promise<number> {
  const lambda = new LambdaClient({ ...cloud.client, maxAttempts: 1 });
  try {
    const { Payload } = await lambda.send(
      new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(event) }),
    );
    return JSON.parse(Buffer.from(Payload ?? []).toString()).pid;
  } finally {
    lambda.destroy();
  }
}

/** Processes of functions of this cloud that are there now. */
function environments(cloud: EmbeddedCloud): number {
  const isOurs = (pid: string) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return line.includes('bootstrap.mjs') && line.includes(cloud.home);
    } catch {
      // It has ended since the folder was read.
      return false;
    }
  };
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isOurs(name)).length;
}

/** Every environment of a function is at work until `release`. */
async function hold(cloud: EmbeddedCloud, name: string, waiting = 0) {
  const gate = mkdtempSync(join(cloud.home, 'gate-'));
  const held = () => readdirSync(gate).length;
  // Where the cloud is impatient, an invocation may be refused while its environment starts.
  const insist = (): Promise<number> => invoke(cloud, name, { gate }).catch(() => insist());
  const all = Array.from({ length: capacity.perFunction + waiting }, insist);
  await expect.poll(held).toBe(capacity.perFunction);
  return {
    async release() {
      writeFileSync(join(gate, 'open'), '');
      await Promise.all(all);
    },
  };
}

describe('a full machine', () => {
  let cloud: EmbeddedCloud;
  let most = 0;
  let watch: NodeJS.Timeout;
  beforeAll(async () => {
    cloud = await start(capacity.patienceMs);
  });
  beforeEach(() => {
    most = 0;
    watch = setInterval(() => {
      most = Math.max(most, environments(cloud));
    }, 20);
    return () => clearInterval(watch);
  });

  test('makes invocations wait their turn, and all of them are answered', async () => {
    const pids = await Promise.all(Array.from({ length: 40 }, () => invoke(cloud, 'first')));
    expect(new Set(pids).size).toBeLessThanOrEqual(capacity.perFunction);
    expect(most).toBeLessThanOrEqual(capacity.perFunction);
  });

  test('keeps room for another function', async () => {
    const first = await hold(cloud, 'first', 4);
    await invoke(cloud, 'second');
    await first.release();
    expect(most).toBeLessThanOrEqual(capacity.environments);
  });

  test('ends what is idle for what waits', async () => {
    await (await hold(cloud, 'first')).release();
    await (await hold(cloud, 'second')).release();
    expect(most).toBeLessThanOrEqual(capacity.environments);
  });

  test('gives a place to the function that has waited longer than the next invocation of the same', async () => {
    const second = await hold(cloud, 'second');
    let isStreaming = true;
    const stream = async () => {
      while (isStreaming) await invoke(cloud, 'first');
    };
    const streams = Array.from({ length: 8 }, stream);
    await second.release();
    await (await hold(cloud, 'second')).release();
    isStreaming = false;
    await Promise.all(streams);
    expect(most).toBeLessThanOrEqual(capacity.environments);
  });

  test('at the API, what was waited counts towards no time-out', async () => {
    const first = await hold(cloud, 'first');
    const answer = fetch(`${cloud.apiUrl}/v1/first`);
    // Longer than the integration may take.
    await sleep(6000);
    await first.release();
    expect((await answer).status).toBe(200);
  });
});

describe('who has waited too long', () => {
  let cloud: EmbeddedCloud;
  beforeAll(async () => {
    cloud = await start(impatience);
  });

  test('is refused as Lambda refuses what is beyond the concurrency', async () => {
    const first = await hold(cloud, 'first');
    await expect(invoke(cloud, 'first')).rejects.toMatchObject({
      name: 'TooManyRequestsException',
      $metadata: { httpStatusCode: 429 },
    });
    await first.release();
  });

  test('at the API, is answered 503 with Retry-After', async () => {
    const first = await hold(cloud, 'first');
    const refused = await fetch(`${cloud.apiUrl}/v1/first`);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    await first.release();
  });
});

test('a stop refuses what waits for its turn, and starts nothing for it', async () => {
  const cloud = await start(capacity.patienceMs);
  const gate = mkdtempSync(join(cloud.home, 'gate-'));
  const outcomes = Array.from({ length: 12 }, () => invoke(cloud, 'first', { gate }).catch(String));
  await expect.poll(() => readdirSync(gate).length).toBe(capacity.perFunction);
  await cloud.stop();
  expect(environments(cloud)).toBe(0);
  for (const outcome of await Promise.all(outcomes)) expect(outcome).toEqual(expect.any(String));
  expect(readdirSync(gate)).toHaveLength(capacity.perFunction);
});
