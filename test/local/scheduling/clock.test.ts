import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createScheduleClock, type DeclaredSchedule } from '../../../local/scheduling/clock.ts';
import { type TestCloud, testCloud } from '../test-cloud.ts';

const minute = 60_000;
const hour = 60 * minute;
const begin = Date.UTC(2026, 2, 10, 12, 0, 0);

let cloud: TestCloud;
beforeEach(() => {
  cloud = testCloud();
  cloud.time = begin;
});
afterEach(() => cloud.remove());

/** Lets that much time pass by the minute; how often the schedule fired. */
function clockOf(one: Omit<DeclaredSchedule, 'name' | 'fire'>) {
  let fired = 0;
  const clock = createScheduleClock(cloud, 'test');
  clock.declare([
    {
      ...one,
      name: 'one',
      fire: () => {
        fired += 1;
      },
    },
  ]);
  return (ms: number): number => {
    const before = fired;
    for (const end = cloud.time + ms; cloud.time < end; cloud.time += minute) clock.tick();
    clock.tick();
    return fired - before;
  };
}

describe('a schedule goes on when the clock of the machine is set', () => {
  test.each([-3 * hour, -24 * hour, -400 * 24 * hour])('back by %i ms', (leap) => {
    const pass = clockOf({ expression: 'rate(5 minutes)' });
    expect(pass(hour)).toBe(12);
    cloud.time += leap;
    expect(pass(hour)).toBeGreaterThanOrEqual(11);
    expect(pass(hour)).toBe(12);
  });

  test('ahead: what was missed meanwhile fires once', () => {
    const pass = clockOf({ expression: 'rate(5 minutes)' });
    expect(pass(hour)).toBe(12);
    cloud.time += 9 * hour;
    expect(pass(0)).toBe(1);
    expect(pass(hour)).toBe(12);
  });

  test('back, by the hour of the day', () => {
    const pass = clockOf({ expression: 'cron(30 12 * * ? *)' });
    expect(pass(hour)).toBe(1);
    cloud.time -= 2 * hour;
    expect(pass(2 * hour)).toBe(1);
  });

  test('back, but neither before its start nor twice at one time', () => {
    const later = clockOf({ expression: 'rate(1 minute)', startsAt: begin + hour });
    cloud.time -= 2 * hour;
    expect(later(2 * hour)).toBe(0);
    expect(later(hour)).toBeGreaterThan(0);
  });

  test('back: what was for one time only has been', () => {
    const pass = clockOf({ expression: 'at(2026-03-10T12:30:00)' });
    expect(pass(hour)).toBe(1);
    cloud.time -= 2 * hour;
    expect(pass(4 * hour)).toBe(0);
  });
});
