import { expect, test } from 'vitest';
import { fewAtOnce } from '../../../shared/concurrency/few-at-once.ts';

/** Work that a test ends, in whatever order. */
function heldWork() {
  const begun: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<void>>();
  const work = (name: string) => {
    begun.push(name);
    const end = Promise.withResolvers<void>();
    ends.set(name, end);
    return end.promise;
  };
  const of = (name: string) => {
    const end = ends.get(name);
    if (!end) throw new Error(`${name} is not begun`);
    return end;
  };
  return { begun, work, of };
}

test('begins in order, and the next one when another has ended', async () => {
  const { begun, work, of } = heldWork();
  const all = fewAtOnce(['a', 'b', 'c', 'd'], 2, work);
  expect(begun).toEqual(['a', 'b']);
  for (const [ended, next] of [
    ['b', 'c'],
    ['a', 'd'],
  ] as const) {
    of(ended).resolve();
    await expect.poll(() => begun.at(-1)).toBe(next);
  }
  for (const name of ['c', 'd']) of(name).resolve();
  await all;
  await fewAtOnce([], 2, work);
  expect(begun).toHaveLength(4);
});

test('after a failure begins nothing, and throws the first one when what is under way has ended', async () => {
  const { begun, work, of } = heldWork();
  let isOver = false;
  const all = fewAtOnce(['a', 'b', 'c', 'd'], 3, work).finally(() => {
    isOver = true;
  });
  const thrown = expect(all).rejects.toThrow('of c');
  of('c').reject(new Error('of c'));
  of('a').reject(new Error('of a'));
  await new Promise((later) => setImmediate(later));
  expect(isOver).toBe(false);
  of('b').resolve();
  await thrown;
  expect(begun).toEqual(['a', 'b', 'c']);
});
