/** CloudWatch may answer an empty page with a token in the middle of a stream, or before it. */
import { CreateLogStreamCommand } from '@aws-sdk/client-cloudwatch-logs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createJobLog } from '../../../shared/aws/job-log.ts';
import { ask, group, type LogPlace, logPlace, texts } from './place.ts';

let place: LogPlace;
beforeAll(async () => {
  place = await logPlace(10_000, true);
});
afterAll(() => place.close());

describe('B3 an empty page with a token', () => {
  test('is passed over in the same answer, whoever asks', async () => {
    const job = place.newJob();
    place.append(job.stream, 'one', 'two');
    expect(texts(await place.read(ask, () => job))).toEqual(['one', 'two']);
    const other = place.newJob({ ended: true });
    const attempt = { ...other, sources: other.sources.map((source) => ({ ...source, attempt: 1 })) };
    place.append(attempt.stream, 'three', 'the end');
    const { items } = await place.logs.ofAttempt(attempt, { after: 0, limit: 10 });
    expect(items.map(({ text }) => text)).toEqual(['three']);
  });

  test('does not hide lines from those who follow while the job runs', async () => {
    const job = place.newJob();
    place.append(job.stream, 'one');
    const first = await place.read({ ...ask, wait: 20 }, () => job);
    expect(texts(first)).toEqual(['one']);
    place.append(job.stream, 'two');
    const next = await place.read({ ...ask, wait: 20, cursor: first.nextCursor }, () => job);
    expect(texts(next)).toEqual(['two']);
  });

  test('is asked for once: the next reader goes on from its token', async () => {
    const job = place.newJob();
    const { stream: logStreamName } = job;
    await place.client.send(new CreateLogStreamCommand({ logGroupName: group, logStreamName }));
    await place.logs.drain(job);
    const { token } = (await place.table.get('acme', 'logs', job.id)) ?? {};
    expect(token).toEqual(expect.any(String));
    place.append(job.stream, 'one');
    expect(texts(await place.read({ ...ask, wait: 20 }, () => job, place.readerOf()))).toEqual(['one']);
  });

  test('is no end of a log', async () => {
    const job = place.newJob({ ended: true });
    const endedAt = new Date(Date.now() - 60_000).toISOString();
    const ended = { ...job, sources: [{ group, stream: job.stream, endedAt }] };
    place.append(job.stream, 'one', 'two');
    expect(await place.follow(() => ended)).toEqual(['one', 'two']);
  });

  test('does not hide the last lines of a job', async () => {
    const job = place.newJob();
    place.append(job.stream, ...Array.from({ length: 50 }, (_, i) => `line ${i}`));
    const log = createJobLog(group, place.client);
    expect(await log.lastLines(job.stream)).toEqual(Array.from({ length: 20 }, (_, i) => `line ${30 + i}`));
    expect(await log.lastLines('none')).toEqual([]);
  });
});
