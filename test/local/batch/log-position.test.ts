import { expect, test } from 'vitest';
import { createLogPosition } from '../../../local/batch/log-position.ts';

const line = (stream: 'stdout' | 'stderr', time: bigint, text: string) => ({ stream, time, text });
const second = 1_000_000_000n;

test('E14 takes every line once, although streams overtake each other and the engine repeats itself', () => {
  const position = createLogPosition();
  expect(position.since()).toBeUndefined();
  const first = [
    line('stdout', 20n * second, 'a'),
    line('stdout', 22n * second, 'b'),
    line('stderr', 21n * second, 'warning'),
  ];
  expect(first.filter(position.advance)).toEqual(first);
  const again = [
    ...first,
    line('stdout', 22n * second, 'same time'),
    line('stderr', 23n * second, 'warning'),
  ];
  expect(again.filter(position.advance).map((one) => one.text)).toEqual(['same time', 'warning']);
});

test('E14 goes on after a restart a little before the newest line', () => {
  const position = createLogPosition();
  for (const one of [line('stdout', 100n * second, 'a'), line('stderr', 99n * second, 'b')])
    position.advance(one);
  const later = createLogPosition(position.toString());
  expect(later.since()).toBe(90n * second);
  const lines = [
    line('stdout', 100n * second, 'a'),
    line('stderr', 99n * second, 'b'),
    line('stderr', 100n * second, 'new'),
  ];
  expect(lines.filter(later.advance).map((one) => one.text)).toEqual(['new']);
});

test('E14 reads again from where the oldest unfinished line began, also after a restart', () => {
  const position = createLogPosition();
  position.advance(line('stderr', 100n * second, 'a'));
  position.leave(40n * second);
  expect(position.since()).toBe(40n * second);
  const later = createLogPosition(position.toString());
  expect(later.since()).toBe(40n * second);
  expect(later.advance(line('stderr', 100n * second, 'a'))).toBe(false);
  expect(later.advance(line('stdout', 40n * second, 'long'))).toBe(true);
  expect(later.newest()).toBe(100n * second);
  later.leave(undefined);
  expect(later.since()).toBe(90n * second);
});

test('takes every part of a long line once, alike or not, also after a restart', () => {
  const part = (number: number) => ({ ...line('stdout', 5n * second, 'same'), part: number || undefined });
  const position = createLogPosition();
  expect([0, 1, 2].map((number) => position.advance(part(number)))).toEqual([true, true, true]);
  expect([0, 1, 2, 3].map((number) => position.advance(part(number)))).toEqual([false, false, false, true]);
  position.leave(5n * second);
  const later = createLogPosition(position.toString());
  expect(later.since()).toBe(0n);
  expect([0, 1, 2, 3, 4].map((number) => later.advance(part(number)))).toEqual([
    false,
    false,
    false,
    false,
    true,
  ]);
  expect(later.advance(line('stdout', 6n * second, 'next'))).toBe(true);
  expect(createLogPosition(later.toString()).advance(part(5))).toBe(false);
});
