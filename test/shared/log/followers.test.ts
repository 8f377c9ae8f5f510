/** What those who follow a log are told, and when. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readUpAt } from '../../../shared/log/cursor.ts';
import { pausesMs } from '../../../shared/log/log.ts';
import { intervalsMs, type LogJob } from '../../../shared/log/refresh.ts';
import type { Table } from '../../../shared/store/table.ts';
import { ask, group, type LogPlace, logPlace, texts } from './place.ts';

let place: LogPlace;
beforeAll(async () => {
  place = await logPlace();
});
afterAll(() => place.close());

describe('B3 a log that grows', () => {
  test('E14 goes on where it was after days of silence, when the token of CloudWatch has long expired', async () => {
    const job = place.newJob();
    // The last two have one time.
    place.append(job.stream, 'one');
    await sleep(5);
    place.append(job.stream, 'two', 'three');
    const first = await place.read(ask, () => job);
    expect(texts(first)).toEqual(['one', 'two', 'three']);
    place.elapse(60);
    const cursor = first.nextCursor;
    expect(texts(await place.read({ ...ask, cursor }, () => job, place.readerOf()))).toEqual([]);
    await sleep(5);
    place.append(job.stream, 'four');
    expect(texts(await place.read({ ...ask, cursor, wait: 20 }, () => job, place.readerOf()))).toEqual([
      'four',
    ]);
    place.elapse(60);
    place.append(job.stream, 'five', 'the end');
    expect(await place.readerOf().drain({ ...job, ended: true })).toBe(true);
    const all = await place.read(ask, () => ({ ...job, ended: true }), place.readerOf());
    expect(texts(all).slice(0, 5)).toEqual(['one', 'two', 'three', 'four', 'five']);
    expect(all.complete).toBe(true);
  });

  test('lines come once, in order, with time and stream, whatever the pages', async () => {
    const job = place.newJob({
      sources: [
        {
          group,
          stream: 'kinds',
          streamOf: (text) => (text.startsWith('[') ? 'system' : 'output'),
          endMarker: 'the end',
        },
      ],
    });
    place.append('kinds', '[x] starts', 'one', 'two');
    const first = await place.read({ ...ask, limit: 2 }, () => job);
    expect(first.items.map(({ text, stream }) => [text, stream])).toEqual([
      ['[x] starts', 'system'],
      ['one', 'output'],
    ]);
    expect(first.complete).toBe(false);
    expect(Date.parse(first.items[0]?.time ?? '')).toBeGreaterThan(Date.now() - 60_000);
    const second = await place.read({ ...ask, cursor: first.nextCursor }, () => job);
    expect(texts(second)).toEqual(['two']);
    const third = await place.read({ ...ask, cursor: second.nextCursor }, () => job);
    expect(third).toMatchObject({ items: [], complete: false, nextCursor: second.nextCursor });
  });

  test('who waits looks for news often enough to have them within a second', () => {
    expect(intervalsMs[1] + pausesMs[1]).toBeLessThan(1000);
  });

  test('who comes back at once looks when those look who go on waiting, unless there was more to read', async () => {
    const job = place.newJob();
    place.append(job.stream, 'one', 'two');
    const before = performance.now();
    const first = await place.read({ ...ask, limit: 1 }, () => job);
    expect(readUpAt(first.nextCursor)).toBeUndefined();
    const { nextCursor: cursor } = await place.read({ ...ask, cursor: first.nextCursor }, () => job);
    const looks: number[] = [];
    const get: Table['get'] = (...asked) => {
      looks.push(performance.now() - before);
      return place.table.get(...asked);
    };
    const counted = place.readerOf({ table: { ...place.table, get } });
    await place.read({ ...ask, cursor, wait: 1 }, () => job, counted);
    // Nearly: the clock of the cursor and this one are two.
    expect(looks[0]).toBeGreaterThan(pausesMs[0] - 10);
  });

  test('wait answers as soon as there is something new, else empty with the same cursor', async () => {
    const job = place.newJob();
    place.append(job.stream, 'before');
    const { nextCursor } = await place.read({ ...ask, wait: 5 }, () => job);
    const waiting = place.read({ ...ask, wait: 20, cursor: nextCursor }, () => job);
    await sleep(2500);
    const appended = performance.now();
    place.append(job.stream, 'news');
    expect(texts(await waiting)).toEqual(['news']);
    // Not only when the time to wait is over.
    expect(performance.now() - appended).toBeLessThan(10_000);
    const started = performance.now();
    const page = await place.read({ ...ask, wait: 1 }, () => place.newJob());
    expect(page.items).toEqual([]);
    expect(performance.now() - started).toBeGreaterThan(900);
  });

  test('a function that is about to end answers before', async () => {
    const started = performance.now();
    const job = place.newJob();
    await place.read({ ...ask, wait: 25, remainingMs: () => 2500 }, () => job);
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  test('it is complete once the job is over and its end was read; nothing after the end marker counts', async () => {
    const job = place.newJob();
    place.append(job.stream, 'one', 'the end', 'noise of the machine');
    const first = await place.read(ask, () => job);
    expect(texts(first)).toEqual(['one']);
    expect(first.complete).toBe(false);
    const page = await place.read({ ...ask, cursor: first.nextCursor }, () => ({ ...job, ended: true }));
    expect(page.items).toEqual([]);
    expect(page.complete).toBe(true);
    expect(page.nextCursor).toBeUndefined();
  });

  test('without an end marker, lines that arrive late are waited for', async () => {
    const job = place.newJob();
    const ended = {
      ...job,
      ended: true,
      sources: job.sources.map((source) => ({ ...source, endedAt: new Date().toISOString() })),
    };
    place.append(job.stream, 'one');
    const patient = place.readerOf({ graceSeconds: 3600 });
    const first = await place.read({ ...ask, wait: 20 }, () => ended, patient);
    expect(texts(first)).toEqual(['one']);
    place.append(job.stream, 'late');
    const second = await place.read({ ...ask, wait: 20, cursor: first.nextCursor }, () => ended, patient);
    expect(texts(second)).toEqual(['late']);
    expect([first.complete, second.complete]).toEqual([false, false]);
    expect(await place.readerOf({ graceSeconds: 0 }).drain(ended)).toBe(true);
  });

  test('E14 where lines never come after the end, the end of the log is known with it', async () => {
    const job = place.newJob();
    const endedAt = new Date().toISOString();
    const ended = { ...job, ended: true, sources: [{ group, stream: job.stream, endedAt }] };
    place.append(job.stream, 'one');
    expect(await place.readerOf({ graceSeconds: 3600 }).drain(ended)).toBe(false);
    expect(await place.readerOf({ graceSeconds: 0 }).drain(ended)).toBe(true);
    expect(texts(await place.read(ask, () => ended))).toEqual(['one']);
  });

  test('a job that never had a source is complete when it is over', async () => {
    const job = place.newJob({ sources: [], ended: true });
    expect(await place.read(ask, () => job)).toEqual({ items: [], complete: true });
  });

  test('a cursor of another job is refused', async () => {
    const [one, other] = [place.newJob(), place.newJob()];
    place.append(one.stream, 'x');
    const { nextCursor } = await place.read(ask, () => one);
    await expect(place.read({ ...ask, cursor: nextCursor }, () => other)).rejects.toMatchObject({
      status: 422,
      code: 'invalid-cursor',
    });
    await expect(place.read({ ...ask, cursor: 'rubbish' }, () => other)).rejects.toMatchObject({
      status: 422,
    });
  });
});

describe('B8 the log of an identical build', () => {
  test('is followed to its end, and then the own one, which begins when the other was stopped', async () => {
    const lender = place.newJob();
    const own = place.newJob();
    place.append(lender.stream, 'theirs', 'the end');
    place.append(own.stream, 'mine', 'the end');
    let job: LogJob = { ...lender, borrowed: true };
    const page = (cursor: string | undefined, wait = 0) =>
      place.logs.follow({ ...ask, wait, cursor }, own, async () => job);
    const first = await page(undefined);
    expect(texts(first)).toEqual(['theirs']);
    job = { ...lender, ended: true, borrowed: true };
    const second = await page(first.nextCursor);
    // The other log is whole; what becomes of this build is not known yet.
    expect(second).toMatchObject({ items: [], complete: false, nextCursor: first.nextCursor });
    const waiting = page(second.nextCursor, 20);
    await sleep(500);
    job = { ...own, ended: true, lender: lender.id };
    const third = await waiting;
    expect(third).toMatchObject({ items: [], complete: false });
    const fourth = await page(third.nextCursor);
    expect(texts(fourth)).toEqual(['mine']);
    expect(fourth.complete ? fourth : await page(fourth.nextCursor)).toMatchObject({ complete: true });
  });
});
