/** Pages of AWS Batch, some of which are empty and lead on. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BatchClient } from '@aws-sdk/client-batch';
import { afterEach, expect, it } from 'vitest';
import { createJobDefinitions, createJobs } from '../../../shared/aws/jobs.ts';

interface Asked {
  path: string;
  body: { nextToken?: string; jobStatus?: string };
}

let close = () => {};
afterEach(() => close());

/** A client of a server that answers as told. */
async function batch(answer: (asked: Asked) => object): Promise<{ client: BatchClient; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const one = { path: request.url ?? '', body: JSON.parse(Buffer.concat(parts).toString()) };
    asked.push(one);
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer(one)));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const client = new BatchClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  close = () => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  };
  return { client, asked };
}

const summary = (jobId: string, createdAt: number) => ({ jobId, jobName: 'exp_1-1', createdAt });

/** `items` on the second and fourth of five pages. */
const spread = (member: string, items: object[], { body: { nextToken = '0' } }: Asked) => {
  const page = Number(nextToken);
  const found = page === 1 ? items.slice(0, 1) : page === 3 ? items.slice(1) : [];
  return { [member]: found, ...(page < 4 ? { nextToken: String(page + 1) } : {}) };
};

it('finds the newest job of a name behind empty pages', async () => {
  const { client } = await batch((asked) =>
    asked.path.endsWith('listjobs')
      ? spread('jobSummaryList', [summary('old', 1), summary('new', 2)], asked)
      : { jobs: [{ jobId: 'new', jobName: 'exp_1-1', jobQueue: 'a/queue', status: 'RUNNING' }] },
  );
  expect(await createJobs(client).findByName('queue', 'exp_1-1')).toMatchObject({
    id: 'new',
    queue: 'queue',
  });
});

it('counts the jobs that hold hosts on all pages, those that are starting too', async () => {
  const { client, asked } = await batch((one) =>
    spread('jobSummaryList', [summary('a', 1), summary('b', 1)], one),
  );
  expect(await createJobs(client).countPlaced('queue')).toBe(4);
  expect(new Set(asked.map(({ body }) => body.jobStatus))).toEqual(new Set(['STARTING', 'RUNNING']));
});

it('registers no definition again that stands on a later page', async () => {
  const { client, asked } = await batch((one) =>
    spread('jobDefinitions', [{ jobDefinitionArn: 'arn:known', jobDefinitionName: 'd', revision: 1 }], one),
  );
  const definition = { jobDefinitionName: 'd', type: 'container' as const };
  expect(await createJobDefinitions(client).ensure(definition)).toEqual({ arn: 'arn:known', reused: true });
  expect(asked.every(({ path }) => path.endsWith('describejobdefinitions'))).toBe(true);
});
