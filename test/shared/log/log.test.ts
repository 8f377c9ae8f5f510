import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Artifacts } from '../../../shared/aws/artifacts.ts';
import { chunkKey } from '../../../shared/log/chunks.ts';
import { type FollowRequest, type LogPage, type Logs, pausesMs } from '../../../shared/log/log.ts';
import { intervalsMs, type LogJob } from '../../../shared/log/refresh.ts';
import type { Chunk } from '../../../shared/log/tail.ts';
import { group, logPlace } from './place.ts';

let place: Awaited<ReturnType<typeof logPlace>>;
beforeAll(async () => {
  place = await logPlace();
});
afterAll(() => place.close());

let count = 0;
/** A job of its own for each test. */
const newJob = (more: Partial<LogJob> = {}): LogJob & { stream: string } => {
  const stream = `stream-${++count}`;
  const job = place.job({ id: `bld_${count}`, sources: [{ group, stream, endMarker: 'the end' }], ...more });
  return { ...job, stream };
};

const ask = { limit: 200, wait: 0, remainingMs: () => 30_000 };
const texts = (page: LogPage) => page.items.map(({ text }) => text);
/** Too long to stay beside the index. */
const long = (text: string) => `${text} ${'x'.repeat(9000)}`;

/** One page of the job's log. */
const read = (request: FollowRequest, job: () => LogJob, logs = place.logs) =>
  logs.follow(request, job(), async () => job());

/** Follows as a client does, to the end. */
async function follow(logs: Logs, job: () => LogJob, limit = 200): Promise<string[]> {
  const lines: string[] = [];
  let cursor: string | undefined;
  for (;;) {
    const page = await read({ ...ask, limit, wait: 5, cursor }, job, logs);
    lines.push(...texts(page));
    if (page.complete) return lines;
    cursor = page.nextCursor;
  }
}

describe('B3 a log that grows', () => {
  test('E14 goes on where it was after days of silence, when the token of CloudWatch has long expired', async () => {
    const job = newJob();
    // The last two have one time.
    place.append(job.stream, 'one');
    await sleep(5);
    place.append(job.stream, 'two', 'three');
    const first = await read(ask, () => job);
    expect(texts(first)).toEqual(['one', 'two', 'three']);
    place.elapse(60);
    const cursor = first.nextCursor;
    expect(texts(await read({ ...ask, cursor }, () => job, place.readerOf()))).toEqual([]);
    await sleep(5);
    place.append(job.stream, 'four');
    expect(texts(await read({ ...ask, cursor, wait: 20 }, () => job, place.readerOf()))).toEqual(['four']);
    place.elapse(60);
    place.append(job.stream, 'five', 'the end');
    expect(await place.readerOf().drain({ ...job, ended: true })).toBe(true);
    const all = await read(ask, () => ({ ...job, ended: true }), place.readerOf());
    expect(texts(all).slice(0, 5)).toEqual(['one', 'two', 'three', 'four', 'five']);
    expect(all.complete).toBe(true);
  });

  test('lines come once, in order, with time and stream, whatever the pages', async () => {
    const job = newJob({
      sources: [
        {
          group,
          stream: 'kinds',
          streamOf: (text) => (text.startsWith('[') ? 'system' : 'stdout'),
          endMarker: 'the end',
        },
      ],
    });
    place.append('kinds', '[x] starts', 'one', 'two');
    const first = await read({ ...ask, limit: 2 }, () => job);
    expect(first.items.map(({ text, stream }) => [text, stream])).toEqual([
      ['[x] starts', 'system'],
      ['one', 'stdout'],
    ]);
    expect(first.complete).toBe(false);
    expect(Date.parse(first.items[0]?.time ?? '')).toBeGreaterThan(Date.now() - 60_000);
    const second = await read({ ...ask, cursor: first.nextCursor }, () => job);
    expect(texts(second)).toEqual(['two']);
    const third = await read({ ...ask, cursor: second.nextCursor }, () => job);
    expect(third).toMatchObject({ items: [], complete: false, nextCursor: second.nextCursor });
  });

  test('who waits looks for news often enough to have them within a second', () => {
    expect(intervalsMs[1] + pausesMs[1]).toBeLessThan(1000);
  });

  test('wait answers as soon as there is something new, else empty with the same cursor', async () => {
    const job = newJob();
    place.append(job.stream, 'before');
    const { nextCursor } = await read({ ...ask, wait: 5 }, () => job);
    const waiting = read({ ...ask, wait: 20, cursor: nextCursor }, () => job);
    await sleep(2500);
    const appended = performance.now();
    place.append(job.stream, 'news');
    expect(texts(await waiting)).toEqual(['news']);
    // Not only when the time to wait is over.
    expect(performance.now() - appended).toBeLessThan(10_000);
    const started = performance.now();
    const page = await read({ ...ask, wait: 1 }, () => newJob());
    expect(page.items).toEqual([]);
    expect(performance.now() - started).toBeGreaterThan(900);
  });

  test('a function that is about to end answers before', async () => {
    const started = performance.now();
    const job = newJob();
    await read({ ...ask, wait: 25, remainingMs: () => 2500 }, () => job);
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  test('it is complete once the job is over and its end was read; nothing after the end marker counts', async () => {
    const job = newJob();
    place.append(job.stream, 'one', 'the end', 'noise of the machine');
    const first = await read(ask, () => job);
    expect(texts(first)).toEqual(['one']);
    expect(first.complete).toBe(false);
    const page = await read({ ...ask, cursor: first.nextCursor }, () => ({ ...job, ended: true }));
    expect(page.items).toEqual([]);
    expect(page.complete).toBe(true);
    expect(page.nextCursor).toBeUndefined();
  });

  test('without an end marker, lines that arrive late are waited for', async () => {
    const job = newJob();
    const ended = {
      ...job,
      ended: true,
      sources: job.sources.map((source) => ({ ...source, endedAt: new Date().toISOString() })),
    };
    place.append(job.stream, 'one');
    const patient = place.readerOf({ graceSeconds: 3600 });
    const first = await read({ ...ask, wait: 20 }, () => ended, patient);
    expect(texts(first)).toEqual(['one']);
    place.append(job.stream, 'late');
    const second = await read({ ...ask, wait: 20, cursor: first.nextCursor }, () => ended, patient);
    expect(texts(second)).toEqual(['late']);
    expect([first.complete, second.complete]).toEqual([false, false]);
    expect(await place.readerOf({ graceSeconds: 0 }).drain(ended)).toBe(true);
  });

  test('E14 where lines never come after the end, the end of the log is known with it', async () => {
    const job = newJob();
    const endedAt = new Date().toISOString();
    const ended = { ...job, ended: true, sources: [{ group, stream: job.stream, endedAt }] };
    place.append(job.stream, 'one');
    expect(await place.readerOf({ graceSeconds: 3600 }).drain(ended)).toBe(false);
    expect(await place.readerOf({ graceSeconds: 0 }).drain(ended)).toBe(true);
    expect(texts(await read(ask, () => ended))).toEqual(['one']);
  });

  test('a job that never had a source is complete when it is over', async () => {
    const job = newJob({ sources: [], ended: true });
    expect(await read(ask, () => job)).toEqual({ items: [], complete: true });
  });

  test('a cursor of another job is refused', async () => {
    const [one, other] = [newJob(), newJob()];
    place.append(one.stream, 'x');
    const { nextCursor } = await read(ask, () => one);
    await expect(read({ ...ask, cursor: nextCursor }, () => other)).rejects.toMatchObject({
      status: 422,
      code: 'invalid-cursor',
    });
    await expect(read({ ...ask, cursor: 'rubbish' }, () => other)).rejects.toMatchObject({
      status: 422,
    });
  });
});

describe('B3 lines of all kinds', () => {
  test('empty lines, carriage returns, several lines in one event, halves of characters, a line above 64 KiB', async () => {
    const job = newJob({ ended: true });
    const long = `${'é'.repeat(40_000)}${'😀'.repeat(40_000)}`;
    place.append(
      job.stream,
      'a\n\nb\n',
      '\n',
      '10%\r50%\r100%\r',
      'crlf\r\n',
      `half \ud83d`,
      long,
      'the end\n',
    );
    const lines = texts(await read(ask, () => job));
    expect(lines.slice(0, 6)).toEqual(['a', '', 'b', '', '100%', 'crlf']);
    expect(lines[6]).toMatch(/^half [\ufffd?]+$/);
    expect(lines.slice(7).join('')).toBe(long);
    expect(lines.slice(7).every((line) => line.length <= 65_536 && line.isWellFormed())).toBe(true);
  });

  test('more than fits into one answer comes in several, none missing', async () => {
    const job = newJob({ ended: true });
    const wanted = Array.from({ length: 60 }, (_, i) => `${i} ${'x'.repeat(50_000)}`);
    for (let at = 0; at < 60; at += 10) place.append(job.stream, ...wanted.slice(at, at + 10));
    place.append(job.stream, 'the end');
    let largest = 0;
    const lines: string[] = [];
    let cursor: string | undefined;
    for (;;) {
      const page = await read({ ...ask, wait: 1, limit: 1000, cursor }, () => job);
      largest = Math.max(largest, JSON.stringify(page).length);
      lines.push(...texts(page));
      if (page.complete) break;
      cursor = page.nextCursor;
    }
    expect(lines).toEqual(wanted);
    expect(largest).toBeLessThan(1_000_000);
    // Full objects are left alone; only the last one is rewritten.
    const { chunks } = (await place.table.get('acme', 'logs', job.id)) as { chunks: number[][] };
    expect(chunks.length).toBeGreaterThan(5);
    expect(chunks.map(([first, last]) => [first, last])).toEqual(
      chunks.map((chunk, i) => [(chunks[i - 1]?.[1] ?? -1) + 1, chunk[1]]),
    );
  });
});

describe('B3 many readers, and readers that die', () => {
  test('eight followers at once see the same lines, and the log is kept once', async () => {
    const job = newJob();
    let ended = false;
    const followers = Array.from({ length: 8 }, (_, i) =>
      follow(place.readerOf(), () => ({ ...job, ended }), 1 + i * 3),
    );
    const wanted: string[] = [];
    for (let i = 0; i < 40; i++) {
      wanted.push(`line ${i}`);
      place.append(job.stream, `line ${i}`);
      await sleep(50);
    }
    place.append(job.stream, 'the end');
    ended = true;
    for (const lines of await Promise.all(followers)) expect(lines).toEqual(wanted);
    expect(texts(await read(ask, () => ({ ...job, ended })))).toEqual(wanted);
  });

  test('a reader that dies between object and index loses nothing and repeats nothing', async () => {
    const job = newJob();
    place.append(job.stream, 'one', 'two');
    await read(ask, () => job);
    place.append(job.stream, long('three'));
    const dying: Artifacts = {
      ...place.artifacts,
      async write(key, text, type) {
        await place.artifacts.write(key, text, type);
        throw new Error('killed');
      },
    };
    await sleep(400);
    await expect(place.readerOf({ artifacts: dying }).drain(job)).rejects.toThrow('killed');
    place.append(job.stream, 'four', 'the end');
    // Its lease runs out by itself.
    expect(await follow(place.logs, () => ({ ...job, ended: true }))).toEqual([
      'one',
      'two',
      long('three'),
      'four',
    ]);
  });

  test('a reader that was overtaken while it wrote gives up its lines', async () => {
    const job = newJob();
    place.append(job.stream, long('one'));
    const slow: Artifacts = {
      ...place.artifacts,
      async write(key, text, type) {
        await place.artifacts.write(key, text, type);
        // Far in the future the lease is anybody's.
        place.append(job.stream, 'two');
        const later = () => new Date(Date.now() + 60_000);
        await place.readerOf({ now: later }).drain(job);
      },
    };
    await place.readerOf({ artifacts: slow }).drain(job);
    place.append(job.stream, 'three', 'the end');
    expect(await follow(place.logs, () => ({ ...job, ended: true }))).toEqual([long('one'), 'two', 'three']);
  });

  test('a client that is behind is answered from what is kept, and holds up nobody who waits for more', async () => {
    const job = newJob();
    place.append(job.stream, 'one', 'two');
    const { nextCursor } = await read({ ...ask, limit: 1 }, () => job);
    await sleep(400);
    const before = (await place.table.get('acme', 'logs', job.id))?.version;
    // The sources were not looked at for a while, but this client has something to read.
    expect(texts(await read({ ...ask, wait: 5, cursor: nextCursor }, () => job))).toEqual(['two']);
    expect(await place.table.get('acme', 'logs', job.id)).toMatchObject({ holder: '', version: before });
  });

  test('who asks from the beginning again and again sees what is new, and holds up nobody either', async () => {
    const job = newJob();
    for (const wanted of [['one'], ['one', 'two'], ['one', 'two', 'three']]) {
      place.append(job.stream, wanted.at(-1) ?? '');
      await sleep(400);
      expect(texts(await read(ask, () => job))).toEqual(wanted);
      await sleep(400);
      expect(texts(await read({ ...ask, wait: 5 }, () => job))).toEqual(wanted);
      expect(await place.table.get('acme', 'logs', job.id)).toMatchObject({ holder: '' });
    }
  });
});

describe('B3 where lines lie', () => {
  test('short news lie beside the index, older lines in objects, and pages go across both', async () => {
    const job = newJob();
    const wanted: string[] = [];
    for (let i = 0; i < 30; i++) {
      wanted.push(`${i} ${'x'.repeat(500)}`);
      place.append(job.stream, wanted.at(-1) ?? '');
      await place.logs.drain(job);
    }
    const { chunks, recent, lines } = (await place.table.get('acme', 'logs', job.id)) as {
      chunks: number[][];
      recent: string[];
      lines: number;
    };
    expect(lines).toBe(30);
    expect(recent.length).toBeGreaterThan(0);
    expect(recent.length).toBeLessThan(30);
    expect((chunks.at(-1)?.[1] ?? -1) + 1 + recent.length).toBe(30);
    place.append(job.stream, 'the end');
    expect(await follow(place.logs, () => ({ ...job, ended: true }), 7)).toEqual(wanted);
    expect((await place.logs.last('acme', job.id, 29)).map(({ text }) => text)).toEqual(wanted.slice(1));
  });

  test('a log whose objects were deleted with age answers what is left, and ends', async () => {
    const job = newJob({ ended: true });
    place.append(job.stream, long('one'), long('two'));
    await place.logs.drain(job);
    place.append(job.stream, 'three', 'the end');
    expect(await place.logs.drain(job)).toBe(true);
    const { chunks } = (await place.table.get('acme', 'logs', job.id)) as { chunks: Chunk[] };
    for (const chunk of chunks) await place.artifacts.remove(chunkKey('acme', job.id, chunk));
    expect(await follow(place.logs, () => job)).toEqual(['three']);
  });
});

describe('B8 the log of an identical build', () => {
  test('is followed to its end, and then the own one, which begins when the other was stopped', async () => {
    const lender = newJob();
    const own = newJob();
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

describe('E14 several attempts', () => {
  test('come one after the other, each with its number, and can be read by line', async () => {
    const streams = ['attempt-1', 'attempt-2'];
    const endedAt = new Date(Date.now() - 60_000).toISOString();
    const job = newJob({
      sources: streams.map((stream, i) => ({ group, stream, attempt: i + 1, endedAt })),
      ended: true,
    });
    place.append('attempt-1', 'a', 'b', 'c');
    place.append('attempt-2', 'd', 'e');
    const page = await read({ ...ask, wait: 5 }, () => job);
    const rest = page.complete
      ? []
      : (await read({ ...ask, wait: 5, cursor: page.nextCursor }, () => job)).items;
    expect([...page.items, ...rest].map(({ attempt, text }) => [attempt, text])).toEqual([
      [1, 'a'],
      [1, 'b'],
      [1, 'c'],
      [2, 'd'],
      [2, 'e'],
    ]);
    const ofAttempt = async (attempt: number | undefined, after: number, limit: number) => {
      const { items, ...rest } = await place.logs.ofAttempt(job, { attempt, after, limit });
      return { texts: items.map(({ text }) => text), ...rest };
    };
    expect(await ofAttempt(1, 1, 1)).toEqual({ texts: ['b'], attempt: 1, next: 2, complete: false });
    expect(await ofAttempt(1, 1, 2)).toEqual({ texts: ['b', 'c'], attempt: 1, next: 3, complete: true });
    expect(await ofAttempt(1, 0, 1000)).toMatchObject({ texts: ['a', 'b', 'c'], complete: true });
    expect(await ofAttempt(undefined, 0, 1)).toEqual({ texts: ['d'], attempt: 2, next: 1, complete: false });
    expect(await ofAttempt(2, 2, 9)).toEqual({ texts: [], attempt: 2, next: 2, complete: true });
    expect(await ofAttempt(7, 0, 9)).toEqual({ texts: [], attempt: 7, next: 0, complete: true });
    expect((await place.logs.last('acme', job.id, 2)).map(({ text }) => text)).toEqual(['d', 'e']);
  });

  test('an attempt that runs, or has yet to come, is not complete; one before it is', async () => {
    const past = new Date(Date.now() - 60_000).toISOString();
    const over = { group, stream: newJob().stream, attempt: 1, endedAt: past };
    const runs = { group, stream: newJob().stream, attempt: 3 };
    const job = newJob({ sources: [over, runs] });
    place.append(over.stream, 'a');
    place.append(runs.stream, 'b', 'c');
    const ofAttempt = async (attempt?: number, after = 0) => {
      const page = await place.logs.ofAttempt(job, { attempt, after, limit: 200 });
      return [page.attempt, page.items.map(({ text }) => text), page.complete];
    };
    expect(await ofAttempt(1)).toEqual([1, ['a'], true]);
    // Its container never started.
    expect(await ofAttempt(2)).toEqual([2, [], true]);
    expect(await ofAttempt()).toEqual([3, ['b', 'c'], false]);
    expect(await ofAttempt(3, 2)).toEqual([3, [], false]);
    expect(await ofAttempt(4)).toEqual([4, [], false]);
    place.append(runs.stream, 'd');
    expect(await ofAttempt(3, 2)).toEqual([3, ['d'], false]);
  });

  test('a next attempt that starts late is waited for', async () => {
    const past = new Date(Date.now() - 60_000).toISOString();
    const first = { group, stream: 'early', attempt: 1, endedAt: past };
    const job = newJob({ sources: [first] });
    place.append('early', 'one');
    expect(await place.logs.drain(job)).toBe(false);
    place.append('later', 'two');
    const both = {
      ...job,
      sources: [first, { group, stream: 'later', attempt: 2, endedAt: past }],
      ended: true,
    };
    expect(await follow(place.logs, () => both)).toEqual(['one', 'two']);
  });

  test('a reader that is always throttled gives up, and gives its lease back', async () => {
    const throttled = await logPlace(0);
    try {
      const job = throttled.job({ ended: true });
      throttled.append('s1', 'one', 'the end');
      expect(await throttled.logs.drain(job)).toBe(false);
      const tail = await throttled.table.get('acme', 'logs', job.id);
      // Nobody has to wait for the lease.
      expect(tail).toMatchObject({ holder: '', complete: false });
    } finally {
      await throttled.close();
    }
  });

  test('what is removed is gone', async () => {
    const job = newJob({ ended: true });
    place.append(job.stream, 'x', 'the end');
    expect(await place.logs.drain(job)).toBe(true);
    await place.logs.remove('acme', job.id);
    expect(await place.table.get('acme', 'logs', job.id)).toBeUndefined();
    expect(await place.logs.last('acme', job.id, 5)).toEqual([]);
  });
});
