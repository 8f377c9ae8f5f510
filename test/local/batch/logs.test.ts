/** Every character that a container writes is in its log once, whatever has a line feed. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCloudWithEndpoint } from '../cloud-with-endpoint.ts';
import { batchPlace, release, shell, untilReleased } from './place.ts';

let place: Awaited<ReturnType<typeof batchPlace>>;
beforeAll(async () => {
  place = await batchPlace({ machine: { vcpus: 8, memoryMiB: 8192, gpuIds: [] } });
});
afterAll(() => place.cloud.close());

/** Numbers of five digits from 0 to 59,999 in one line of 300,000 characters. */
const numbers = Array.from({ length: 60_000 }, (_, i) => String(i).padStart(5, '0')).join('');
const print = (from: number, to: number, unit = '') =>
  `awk 'BEGIN { for (i = ${from}; i < ${to}; i++) printf "%05d${unit}", i }'`;
/** The engine ends a log that is followed before its last entries in more than half of such jobs. */
const several = [1, 2, 3, 4, 5, 6];

describe('E14 a line of 300,000 characters', () => {
  test.each<[string, string, string]>([
    ['without a line feed', print(0, 60_000), numbers],
    ['that comes in parts', `${print(0, 30_000)}; sleep 0.3; ${print(30_000, 60_000)}`, numbers],
    ['behind other lines', `echo one; echo two; ${print(0, 60_000)}`, `onetwo${numbers}`],
    ['with a line feed', `${print(0, 60_000)}; echo`, numbers],
    ['on standard error', `${print(0, 60_000)} >&2`, numbers],
    [
      'of characters with three bytes',
      print(0, 20_000, '€'),
      `${numbers.slice(0, 100_000).replace(/.{5}/g, '$&€')}`,
    ],
    ['from a command that fails', `${print(0, 60_000)}; exit 3`, numbers],
  ])(
    '%s',
    async (_, script, expected) => {
      const jobs = await Promise.all(several.map(() => place.run(shell(script))));
      for (const job of jobs)
        expect(place.log(job.container?.logStreamName).join('') === expected).toBe(true);
    },
    120_000,
  );

  test('that is written while the cloud goes and comes', async () => {
    const home = mkdtempSync(join(tmpdir(), 'slipway-logs-'));
    const before = await batchPlace({}, await createCloudWithEndpoint(home));
    const script = `echo begun; ${print(0, 30_000)}; ${untilReleased}; ${print(30_000, 60_000)}`;
    const id = await before.submit({ jobDefinition: await before.register(shell(script)) });
    const { detail } = await before.reached(id, 'RUNNING');
    const { logStreamName } = detail.container as { logStreamName: string };
    await expect.poll(() => before.log(logStreamName)).toEqual(['begun']);
    // Some of the unfinished line has been read, and must not count.
    const position = () =>
      String(before.cloud.db.prepare('SELECT position FROM batch_task_logs').get()?.position);
    await expect.poll(position).toContain('unfinished');
    await before.batch.stop?.();
    await before.ecr.stop?.();
    const after = await batchPlace({}, await createCloudWithEndpoint(home));
    await release(id);
    await after.reached(id, 'SUCCEEDED');
    expect(after.log(logStreamName)).toEqual(['begun', numbers]);
    await after.cloud.close();
    await before.cloud.close();
  });
});

test('E14 a line that began before others stands behind them, where those who follow the log still find it', async () => {
  const script = `${print(0, 10_000)}; echo meanwhile >&2; sleep 1; echo later >&2; sleep 1; echo end`;
  const job = await place.run(shell(script));
  const stored = place.cloud.db
    .prepare('SELECT timestamp, message FROM test_lines WHERE stream = ? ORDER BY rowid')
    .all(job.container?.logStreamName ?? '') as { timestamp: number; message: string }[];
  expect(stored.map(({ message }) => message)).toEqual([
    'meanwhile',
    'later',
    `${numbers.slice(0, 50_000)}end`,
  ]);
  const times = stored.map(({ timestamp }) => timestamp);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});
