import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { allInOrder } from '../../../shared/concurrency/all-in-order.ts';

async function after(milliseconds: number, error?: string): Promise<number> {
  await sleep(milliseconds);
  if (error) throw new Error(error);
  return milliseconds;
}

test('answers all, or throws what failed first in the list, once nobody is at work any more', async () => {
  expect(await allInOrder([after(20), after(0)])).toEqual([20, 0]);
  let ended = false;
  const last = after(40).then((value) => {
    ended = true;
    return value;
  });
  await expect(allInOrder([after(20, 'first'), after(0, 'second'), last])).rejects.toThrow('first');
  expect(ended).toBe(true);
});
