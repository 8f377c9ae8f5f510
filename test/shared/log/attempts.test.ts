import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, group, type LogPlace, logPlace } from './place.ts';

let place: LogPlace;
beforeAll(async () => {
  place = await logPlace();
});
afterAll(() => place.close());

describe('E14 several attempts', () => {
  test('come one after the other, each with its number, and can be read by line', async () => {
    const streams = ['attempt-1', 'attempt-2'];
    const endedAt = new Date(Date.now() - 60_000).toISOString();
    const job = place.newJob({
      sources: streams.map((stream, i) => ({ group, stream, attempt: i + 1, endedAt })),
      ended: true,
    });
    place.append('attempt-1', 'a', 'b', 'c');
    place.append('attempt-2', 'd', 'e');
    const page = await place.read({ ...ask, wait: 5 }, () => job);
    const rest = page.complete
      ? []
      : (await place.read({ ...ask, wait: 5, cursor: page.nextCursor }, () => job)).items;
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
    const over = { group, stream: place.newJob().stream, attempt: 1, endedAt: past };
    const runs = { group, stream: place.newJob().stream, attempt: 3 };
    const job = place.newJob({ sources: [over, runs] });
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
    const job = place.newJob({ sources: [first] });
    place.append('early', 'one');
    expect(await place.logs.drain(job)).toBe(false);
    place.append('later', 'two');
    const both = {
      ...job,
      sources: [first, { group, stream: 'later', attempt: 2, endedAt: past }],
      ended: true,
    };
    expect(await place.follow(() => both)).toEqual(['one', 'two']);
  });
});
