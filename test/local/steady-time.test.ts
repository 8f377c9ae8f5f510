import { afterEach, expect, test } from 'vitest';
import { whenElapsed } from '../../local/deadline.ts';
import { elapsedMs, steadyTime } from '../../local/steady-time.ts';
import { batchPlace, release, shell, untilReleased } from './batch/place.ts';
import { type CloudWithEndpoint, createCloudWithEndpoint } from './cloud-with-endpoint.ts';

const hourMs = 3_600_000;
const wall = Date.parse('2026-11-20T10:00:00Z');
const clocks = (wallMs: number, boot: string, ms: number) => ({
  now: () => new Date(wall + wallMs),
  steady: () => ({ boot, ms }),
});

test.each([
  ['nobody set the clock', clocks(2000, 'a', 7000), 2000],
  ['nine hours ahead', clocks(9 * hourMs, 'a', 7000), 2000],
  ['nine hours back', clocks(-9 * hourMs, 'a', 7000), 2000],
  ['the machine was started anew', clocks(60_000, 'b', 3000), 60_000],
  ['started anew, and the clock set back', clocks(-60_000, 'b', 3000), 0],
])('a duration: %s', (_, now, expected) => {
  expect(elapsedMs(now, { wall, steady: { boot: 'a', ms: 5000 } })).toBe(expected);
});

test('records without a steady time have the wall’s', () => {
  expect(elapsedMs(clocks(4000, 'a', 1), { wall })).toBe(4000);
});

test('the steady time goes on, also in another process of the same boot', async () => {
  const first = steadyTime();
  await expect.poll(() => steadyTime().ms).toBeGreaterThan(first.ms);
  expect(steadyTime().boot).toBe(first.boot);
});

test('a timer that fires early waits for what is left', async () => {
  let leftMs = 30;
  let asked = 0;
  const started = performance.now();
  await new Promise<void>((resolve) => {
    whenElapsed(() => {
      asked += 1;
      // The first look is taken when half a second is left, whatever the timer says.
      if (asked > 1) leftMs = 500 - (performance.now() - started);
      return leftMs;
    }, resolve);
  });
  expect(performance.now() - started).toBeGreaterThanOrEqual(499);
});

let cloud: CloudWithEndpoint | undefined;
afterEach(async () => {
  await cloud?.close();
  cloud = undefined;
});

test.each([9, -9])(
  'a job keeps its time while the clock is %i hours off, also over a restart',
  async (hours) => {
    const first = await batchPlace();
    const leap = (one: CloudWithEndpoint) => {
      const { now } = one;
      Object.assign(one, { now: () => new Date(now().getTime() + hours * hourMs) });
    };
    const id = await first.submit({
      jobDefinition: await first.register(shell(untilReleased)),
      timeout: { attemptDurationSeconds: 3600 },
    });
    await first.reached(id, 'RUNNING');
    leap(first.cloud);
    await first.batch.stop?.();
    await first.ecr.stop?.();
    cloud = await createCloudWithEndpoint(first.cloud.home);
    leap(cloud);
    const second = await batchPlace({}, cloud);
    await release(id);
    await second.reached(id, 'SUCCEEDED', 'FAILED');
    // Not by a request, whose signature would be hours off.
    expect(second.batch.describe(id)).toMatchObject({
      status: 'SUCCEEDED',
      statusReason: 'Essential container in task exited',
    });
  },
);

test('a job whose time is over while its cloud was away is ended', async () => {
  const first = await batchPlace();
  const id = await first.submit({
    jobDefinition: await first.register(shell(untilReleased)),
    timeout: { attemptDurationSeconds: 3600 },
  });
  await first.reached(id, 'RUNNING');
  await first.batch.stop?.();
  await first.ecr.stop?.();
  cloud = await createCloudWithEndpoint(first.cloud.home);
  const { steady } = cloud;
  Object.assign(cloud, { steady: () => ({ ...steady(), ms: steady().ms + hourMs }) });
  const second = await batchPlace({}, cloud);
  await second.reached(id, 'FAILED');
  expect((await second.describe(id)).statusReason).toBe('Job attempt duration exceeded timeout');
});
