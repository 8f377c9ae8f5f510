/** Who reads the sources: several at once, and some that die, are slow or get nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Artifacts } from '../../../shared/aws/artifacts.ts';
import { ask, type LogPlace, logPlace, long, texts } from './place.ts';

let place: LogPlace;
beforeAll(async () => {
  place = await logPlace();
});
afterAll(() => place.close());

describe('B3 many readers, and readers that die', () => {
  test('eight followers at once see the same lines, and the log is kept once', async () => {
    const job = place.newJob();
    let ended = false;
    const followers = Array.from({ length: 8 }, (_, i) =>
      place.follow(() => ({ ...job, ended }), 1 + i * 3, place.readerOf()),
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
    expect(texts(await place.read(ask, () => ({ ...job, ended })))).toEqual(wanted);
  });

  test('a reader that dies between object and index loses nothing and repeats nothing', async () => {
    const job = place.newJob();
    place.append(job.stream, 'one', 'two');
    await place.read(ask, () => job);
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
    expect(await place.follow(() => ({ ...job, ended: true }))).toEqual([
      'one',
      'two',
      long('three'),
      'four',
    ]);
  });

  test('a reader that was overtaken while it wrote gives up its lines', async () => {
    const job = place.newJob();
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
    expect(await place.follow(() => ({ ...job, ended: true }))).toEqual([long('one'), 'two', 'three']);
  });

  test('a client that is behind is answered from what is kept, and holds up nobody who waits for more', async () => {
    const job = place.newJob();
    place.append(job.stream, 'one', 'two');
    const { nextCursor } = await place.read({ ...ask, limit: 1 }, () => job);
    await sleep(400);
    const before = (await place.table.get('acme', 'logs', job.id))?.version;
    // The sources were not looked at for a while, but this client has something to read.
    expect(texts(await place.read({ ...ask, wait: 5, cursor: nextCursor }, () => job))).toEqual(['two']);
    expect(await place.table.get('acme', 'logs', job.id)).toMatchObject({ holder: '', version: before });
  });

  test('who asks from the beginning again and again sees what is new, and holds up nobody either', async () => {
    const job = place.newJob();
    for (const wanted of [['one'], ['one', 'two'], ['one', 'two', 'three']]) {
      place.append(job.stream, wanted.at(-1) ?? '');
      await sleep(400);
      expect(texts(await place.read(ask, () => job))).toEqual(wanted);
      await sleep(400);
      expect(texts(await place.read({ ...ask, wait: 5 }, () => job))).toEqual(wanted);
      expect(await place.table.get('acme', 'logs', job.id)).toMatchObject({ holder: '' });
    }
  });

  test('E14 a reader that is always throttled gives up, and gives its lease back', async () => {
    const throttled = await logPlace(0);
    try {
      const job = throttled.newJob({ ended: true });
      throttled.append(job.stream, 'one', 'the end');
      expect(await throttled.logs.drain(job)).toBe(false);
      const tail = await throttled.table.get('acme', 'logs', job.id);
      // Nobody has to wait for the lease.
      expect(tail).toMatchObject({ holder: '', complete: false });
    } finally {
      await throttled.close();
    }
  });
});
