/** `GET /v1/images/{id}` end to end beside one GetItem by the SDK on the same engine, and each layer's share. */
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient, GetItemCommand, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { awsConfiguration } from '../scripts/local-cloud.ts';
import type { BenchCloud } from './cloud.ts';
import { median, ms, quantile, type Section, timed } from './report.ts';

const warmUp = 100;
const rounds = 500;

export async function apiLatency({ cloud, api }: BenchCloud, base: string): Promise<Section> {
  const image = await api.post<{ id: string }>('/v1/images', {
    source: { type: 'reference', url: base },
  });
  const dynamo = new DynamoDBClient(awsConfiguration(cloud));
  const { TableNames = [] } = await dynamo.send(new ListTablesCommand({}));
  const [table] = TableNames;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const get = (path: string, status: number) => () => once(agent, cloud.apiUrl + path, cloud.token, status);
  const rawGet = async () => {
    const { Item } = await dynamo.send(
      new GetItemCommand({
        TableName: table,
        Key: { pk: { S: 'acme#images' }, sk: { S: image.id } },
        ConsistentRead: true,
      }),
    );
    if (!Item) throw new Error('the image is not where the benchmark looks for it');
  };
  const layers: Record<string, () => Promise<void>> = {
    gateway: get('/v1/nothing', 404),
    'public function': get('/v1/health', 200),
    image: get(`/v1/images/${image.id}`, 200),
    'raw GetItem': rawGet,
  };
  const times: Record<string, number[]> = Object.fromEntries(Object.keys(layers).map((name) => [name, []]));
  for (let i = 0; i < warmUp + rounds; i++) {
    // The stage lets 100 requests a second through, and the embedded cloud holds to it.
    await sleep(30);
    for (const [name, work] of Object.entries(layers)) {
      const time = await timed(work);
      if (i >= warmUp) times[name]?.push(time);
    }
  }
  agent.destroy();
  const p50 = (name: string) => median(times[name] ?? []);
  const ratio = (name: string, beside: string) => p50(name) / p50(beside);
  const p99 = (name: string) => quantile(times[name] ?? [], 0.99);
  const share = (from: string | undefined, to: string) =>
    `${ms(p50(to) - (from ? p50(from) : 0))} (${Math.round(((p50(to) - (from ? p50(from) : 0)) / p50('image')) * 100)} %)`;
  return {
    title: 'API',
    how: `${rounds} requests each, in turn on one connection, after ${warmUp} to warm up: HTTP, gateway, cached authorizer, isolated function environment, middleware, handler, table.`,
    rows: [
      {
        what: '`GET /v1/images/{id}`, p50',
        measured: ms(p50('image')),
        beside: `raw GetItem ${ms(p50('raw GetItem'))}, ratio ${ratio('image', 'raw GetItem').toFixed(2)}`,
        goal: '≤ 2×',
        met: ratio('image', 'raw GetItem') <= 2,
      },
      {
        what: '`GET /v1/images/{id}`, p99',
        measured: ms(p99('image')),
        beside: `raw GetItem ${ms(p99('raw GetItem'))}`,
        goal: 'printed',
        met: true,
      },
    ],
    notes: [
      `Shares of the p50: HTTP and gateway (a route that does not exist) ${share(undefined, 'gateway')}; function environment, middleware and handler (\`GET /v1/health\` above that) ${share('gateway', 'public function')}; authorizer's cached answer, store and GetItem (the image above that) ${share('public function', 'image')}.`,
    ],
  };
}

function once(agent: Agent, url: string, token: string, status: number): Promise<void> {
  return new Promise((done, fail) => {
    const sent = request(url, { agent, headers: { authorization: `Bearer ${token}` } }, (answer) => {
      answer.resume();
      answer.once('end', () =>
        answer.statusCode === status ? done() : fail(new Error(`${url}: ${answer.statusCode}`)),
      );
    });
    sent.once('error', fail);
    sent.end();
  });
}
