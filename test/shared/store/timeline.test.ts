import { expect, test } from 'vitest';
import { phaseEvents, startOf } from '../../../shared/build/phases.ts';
import { latest, timed } from '../../../shared/store/timeline.ts';

const at = (seconds: number) => new Date(Date.UTC(2026, 10, 21, 12, 0, 0, seconds * 1000)).toISOString();
const entry = (seconds: number, code: string) => ({ time: at(seconds), code, message: code });

test('E24 entries that come late or with whole seconds never lie before the one above', () => {
  const { events, lastEventAt } = timed(at(10.4), [
    entry(10, 'a'),
    entry(12.5, 'b'),
    entry(12, 'c'),
    entry(13, 'd'),
  ]);
  expect(events.map(({ time, durationMs }) => [time, durationMs])).toEqual([
    [at(10.4), 0],
    [at(12.5), 2100],
    [at(12.5), 0],
    [at(13), 500],
  ]);
  expect(lastEventAt).toBe(at(13));
  expect(timed(at(5), [])).toEqual({ events: [], lastEventAt: at(5) });
});

test('E24 a build does not start before it was accepted and CodeBuild was asked', () => {
  const report = (endedAt: string) => [{ type: 'QUEUED', outcome: 'SUCCEEDED' as const, endedAt }];
  const build = { kind: 'build', phasesSeen: [], phase: 'queued', status: 'queued' } as const;
  const started = (queuedUntil: number, startingAt?: string) =>
    startOf(
      { createdAt: at(10.2), ...(startingAt ? { startingAt } : {}) },
      phaseEvents({ ...build, phasesSeen: [] }, report(at(queuedUntil))),
    );
  expect(started(10)).toBe(at(10.2));
  expect(started(10, at(10.6))).toBe(at(10.6));
  expect(started(11, at(10.6))).toBe(at(11));
  expect(startOf({ createdAt: at(1) }, {})).toBeUndefined();
});

test('the last of some times, as far as they are known', () => {
  expect(latest(at(1), undefined, at(3), at(2))).toBe(at(3));
  expect(latest(at(1), undefined)).toBe(at(1));
});
