import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { followEvents } from '../../../shared/log/follow-events.ts';
import { createPatience, waitingPlaces } from '../../../shared/log/patience.ts';
import { type RealTable, startRealTable } from '../store/real-table.ts';

let real: RealTable;
beforeAll(async () => {
  real = await startRealTable();
});
afterAll(() => real?.stop());

let made = 0;
const somebody = () => ({ organisation: 'acme', memberId: `mem_${++made}` });
const inAMinute = () => Date.now() + 60_000;
const request = { wait: 25, remainingMs: () => 30_000, limit: 100 };

describe('waiting places', () => {
  test('are so many for each member, and free again when they are given back', async () => {
    const places = waitingPlaces(real.table, somebody(), 3);
    const taken = [];
    for (let i = 0; i < 3; i++) taken.push(await places.take(inAMinute()));
    expect(taken.every((leave) => leave !== undefined)).toBe(true);
    expect(await places.take(inAMinute())).toBeUndefined();
    expect(await waitingPlaces(real.table, somebody(), 3).take(inAMinute())).toBeDefined();
    await taken[1]?.();
    expect(await places.take(inAMinute())).toBeDefined();
    // Given back twice, as by a function that lives on after its time, it is not taken from who has it now.
    await taken[1]?.();
    expect(await places.take(inAMinute())).toBeUndefined();
  });

  test('never are more, however many ask at the same time', async () => {
    const places = waitingPlaces(real.table, somebody(), 4);
    const asked = await Promise.all(Array.from({ length: 30 }, () => places.take(inAMinute())));
    const held = asked.filter((leave) => leave !== undefined).length;
    expect(held).toBeGreaterThanOrEqual(1);
    expect(held).toBeLessThanOrEqual(4);
  });

  test('of functions that died are free when their time is over', async () => {
    const member = somebody();
    let now = Date.now();
    const places = waitingPlaces(real.table, member, 1, () => now);
    expect(await places.take(now + 25_000)).toBeDefined();
    now += 24_000;
    expect(await places.take(now + 25_000)).toBeUndefined();
    now += 1000;
    expect(await places.take(now + 25_000)).toBeDefined();
  });
});

test('who has no place left is answered soon, without anything and with a cursor', async () => {
  const member = somebody();
  const places = waitingPlaces(real.table, member, 1);
  const nothingNew = async () => ({ eventCount: 0, isClosed: false });
  const follow = () =>
    followEvents(real.table, { organisation: 'acme', id: 'exp_1' }, { ...request, places }, nothingNew);
  const leave = await places.take(inAMinute());
  const asked = performance.now();
  const page = await follow();
  expect(page).toEqual({ items: [], complete: false, nextCursor: expect.any(String) });
  // A client that comes back with each answer asks a few times in a second, and no more.
  expect(performance.now() - asked).toBeGreaterThan(200);
  await leave?.();
  // With a place it would wait.
  expect(await Promise.race([follow(), sleep(1500).then(() => 'waits')])).toBe('waits');
});

test('nobody takes a place who has something to read, or does not wait', async () => {
  let taken = 0;
  const places = { take: async () => void taken++ };
  const closed = async () => ({ eventCount: 0, isClosed: true });
  const open = async () => ({ eventCount: 0, isClosed: false });
  const job = { organisation: 'acme', id: 'exp_2' };
  await followEvents(real.table, job, { ...request, places }, closed);
  await followEvents(real.table, job, { ...request, wait: 0, places }, open);
  expect(taken).toBe(0);
  await followEvents(real.table, job, { ...request, places }, open);
  expect(taken).toBe(1);
});

test('a place is given back when the answer is made, also where it is an error', async () => {
  let left = 0;
  const places = { take: async () => async () => void left++ };
  let looks = 0;
  const gone = async () => {
    if (++looks > 1) throw new Error('gone');
    return { eventCount: 0, isClosed: false };
  };
  const following = followEvents(
    real.table,
    { organisation: 'acme', id: 'exp_3' },
    { ...request, places },
    gone,
  );
  await expect(following).rejects.toThrow('gone');
  expect(left).toBe(1);
  const patience = createPatience({ ...request, places });
  await patience.pace(1);
  await patience.end();
  expect(left).toBe(1);
});
