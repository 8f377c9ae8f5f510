import { expect, test } from 'vitest';
import { parseSchedule } from '../../../local/scheduling/expression.ts';

const start = Date.parse('2026-11-20T10:00:00Z');
const next = (expression: string, after = start, zone?: string): string | undefined => {
  const time = parseSchedule(expression, start, zone).next(after);
  return time === undefined ? undefined : new Date(time).toISOString().replace(':00.000Z', 'Z');
};

test.each([
  ['rate(1 minute)', '2026-11-20T10:01Z'],
  ['rate(5 minutes)', '2026-11-20T10:05Z'],
  ['rate(2 days)', '2026-11-22T10:00Z'],
  ['cron(0 12 * * ? *)', '2026-11-20T12:00Z'],
  ['cron(0/15 * * * ? *)', '2026-11-20T10:15Z'],
  ['cron(15 10 ? * MON-FRI *)', '2026-11-20T10:15Z'],
  ['cron(0 9 ? * 2 *)', '2026-11-23T09:00Z'],
  ['cron(0 0 L * ? *)', '2026-11-30T00:00Z'],
  ['cron(0 0 ? * 6L *)', '2026-11-27T00:00Z'],
  ['cron(0 0 ? * 3#1 *)', '2026-12-01T00:00Z'],
  ['cron(0 0 15W 8 ? 2027)', '2027-08-16T00:00Z'],
  ['cron(0 0 29 2 ? *)', '2028-02-29T00:00Z'],
  ['cron(0 0 1 1 ? 2020)', undefined],
  ['at(2026-11-20T11:00:00)', '2026-11-20T11:00Z'],
  ['at(2026-11-20T10:00:00)', undefined],
])('%s comes next at %s', (expression, expected) => {
  expect(next(expression)).toBe(expected);
});

test('time zones move with their clocks', () => {
  const nine = 'cron(0 9 * * ? *)';
  expect(next(nine, Date.parse('2027-03-27T12:00:00Z'), 'Europe/Berlin')).toBe('2027-03-28T07:00Z');
  expect(next(nine, Date.parse('2027-03-26T12:00:00Z'), 'Europe/Berlin')).toBe('2027-03-27T08:00Z');
  // Half past two doesn't happen on the day the clocks go forward, and happens once when they go back.
  const skipped = 'cron(30 2 * * ? *)';
  expect(next(skipped, Date.parse('2027-03-27T12:00:00Z'), 'Europe/Berlin')).toBe('2027-03-29T00:30Z');
  expect(next(skipped, Date.parse('2027-10-31T00:30:00Z'), 'Europe/Berlin')).toBe('2027-11-01T01:30Z');
});

test.each([
  'rate(1 minutes)',
  'rate(5 minute)',
  'rate(0 minutes)',
  'every minute',
  'cron(* * * * *)',
  'cron(* * * * * *)',
  'cron(60 * * * ? *)',
  'cron(0 0 ? ? * *)',
])('%s is refused', (expression) => {
  expect(() => parseSchedule(expression, start)).toThrow(/schedule expression/);
});
