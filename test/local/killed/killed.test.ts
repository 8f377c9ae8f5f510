import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createEvents } from '../../../local/events.ts';
import { createS3 } from '../../../local/s3.ts';
import { bucketOf } from '../s3/declared-bucket.ts';
import { type TestCloud, testCloud } from '../test-cloud.ts';
import { testEndpoint } from '../test-endpoint.ts';
import { recordDeliveries, rule } from './recorded-deliveries.ts';

let cloud: TestCloud;
beforeEach(() => {
  cloud = testCloud();
});
afterEach(() => cloud.remove());

function start(script: string): { lines: AsyncIterable<string>; kill(): Promise<void> } {
  const child = spawn(process.execPath, [join(import.meta.dirname, script), cloud.home], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    lines: createInterface(child.stdout),
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

test('every event published before kill -9 is delivered, in the end', async () => {
  const publisher = start('publisher.ts');
  const published: string[] = [];
  for await (const id of publisher.lines) {
    published.push(id);
    if (published.length === 500) void publisher.kill();
  }
  expect(published.length).toBeGreaterThanOrEqual(500);
  recordDeliveries(cloud);
  const events = createEvents(cloud, { chaos: '' });
  await events.deploy?.([rule]);
  await events.start?.();
  const left = (): unknown => cloud.db.prepare('SELECT COUNT(*) AS n FROM events_deliveries').get()?.n;
  cloud.now = () => new Date();
  await expect.poll(left).toBe(0);
  await events.stop?.();
  const delivered = new Set(
    cloud.db
      .prepare('SELECT id FROM delivered')
      .all()
      .map((row) => row.id),
  );
  expect(published.filter((id) => !delivered.has(id))).toEqual([]);
});

test('every object stored before kill -9 is whole after it, and no stray file stays', async () => {
  const uploader = start('uploader.ts');
  let settings = '';
  for await (const line of uploader.lines) {
    settings = line;
    break;
  }
  const client = new S3Client(JSON.parse(settings));
  const Bucket = 'artifacts';
  const stored = new Map<string, string>();
  const attempted = new Map<string, Set<string>>();
  const upload = async (worker: number): Promise<void> => {
    for (let n = 0; ; n += 1) {
      const Key = `${worker}/${n % 5}`;
      const Body = randomBytes(200_000);
      const digest = createHash('md5').update(Body).digest('hex');
      attempted.set(Key, (attempted.get(Key) ?? new Set()).add(digest));
      await client.send(new PutObjectCommand({ Bucket, Key, Body }));
      stored.set(Key, digest);
      if (stored.size === 20 && n > 10) void uploader.kill();
    }
  };
  await Promise.allSettled([0, 1, 2, 3].map(upload));
  client.destroy();
  expect(stored.size).toBe(20);

  const service = createS3(cloud);
  await service.deploy?.([bucketOf(Bucket)]);
  const endpoint = await testEndpoint(cloud, [service]);
  const reader = new S3Client(endpoint.clientOf());
  const { Contents = [] } = await reader.send(new ListObjectsV2Command({ Bucket }));
  expect(Contents).toHaveLength(20);
  for (const { Key = '', ETag } of Contents) {
    const { Body } = await reader.send(new GetObjectCommand({ Bucket, Key }));
    const digest = createHash('md5')
      .update((await Body?.transformToByteArray()) ?? '')
      .digest('hex');
    expect(ETag).toBe(`"${digest}"`);
    // The last one acknowledged, or one that was under way when the process died.
    expect(attempted.get(Key)).toContain(digest);
  }
  const files = readdirSync(join(cloud.home, 's3'), { recursive: true, withFileTypes: true });
  expect(files.filter((one) => one.isFile())).toHaveLength(20);
  reader.destroy();
  await endpoint.close();
});
