import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { startCloud } from '../../local/start.ts';
import { freePorts } from '../../scripts/ports.ts';
import { temporaryFolder, writeAssembly } from './assembly.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

test('requests while the cloud boots are answered with 503 and when to come again; afterwards as ever', async () => {
  const assembly = join(folder.path, 'cdk.out');
  mkdirSync(assembly);
  writeAssembly(assembly, { stacks: { main: { Resources: {} } } });
  const port = await freePorts();
  const gate = Promise.withResolvers<void>();
  const preparing = Promise.withResolvers<void>();
  const starting = startCloud({
    home: join(folder.path, 'home'),
    port,
    async prepare() {
      preparing.resolve();
      await gate.promise;
      return { assembly };
    },
  });
  await preparing.promise;
  const requests: [string, RequestInit][] = [
    [`http://127.0.0.1:${port}/v1/health`, {}],
    [`http://127.0.0.1:${port}/v1/images`, { method: 'POST', body: 'x'.repeat(1_000_000) }],
    [`http://127.0.0.1:${port + 1}/`, { method: 'POST', body: '{}' }],
    [`http://127.0.0.1:${port + 1}/_credentials/x`, {}],
  ];
  for (const [url, init] of requests) {
    const answer = await fetch(url, init);
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    await answer.text();
  }
  gate.resolve();
  const cloud = await starting;
  const statuses = [];
  for (const [url, init] of requests) statuses.push((await fetch(url, init)).status);
  expect(statuses.slice(2)).toEqual([403, 404]);
  await cloud.stop();
});
