/** B3, E24: many clients of one build's log, in several function environments; and a build's times. */
import { expect, inject, it } from 'vitest';
import { followLog } from '../../bench/follower.ts';
import { awsCalls, environmentsAtWork } from '../../bench/observation.ts';
import { machineCapacity } from '../../local/lambda/capacity.ts';
import { apiOf, type Json, settled, unique } from './client.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const { apiUrl, token } = cloud;
const api = apiOf(apiUrl, token);

const followers = 100;
/** Every third loses its connection again and again. */
const isUnsteady = (index: number) => index % 3 === 0;
/** One every two seconds: time enough for several environments to start, on a busy machine too. */
const lines = 60;
/** The machine decides how many there are. What they share is in the table, so a few of them are as good as a hundred. */
const severalEnvironments = Math.min(10, machineCapacity().perFunction);

it('E24 B3 times of a build only go forward, and durations say how long the state before lasted', async () => {
  const reply = await api.post('/v1/images', {
    source: { type: 'build', dockerfile: `FROM ${tinyBase}\nARG NONCE=${unique('n')}\nRUN sleep 2\n` },
    registryId: 'reg_private',
    repository: unique('timed'),
    tag: '1',
  });
  const path = `/v1/builds/${reply.body.currentBuild.id}`;
  const build = await api.until(path, settled);
  const { items } = await api.until(`${path}/events?limit=100`, (page) => page.complete);
  const times: number[] = [build.createdAt, build.startedAt, build.finishedAt].map(Date.parse);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(build.durationSeconds).toBeCloseTo(((times[2] ?? 0) - (times[1] ?? 0)) / 1000, 3);
  expect(items.map(({ code }: Json) => code)).toEqual(
    expect.arrayContaining(['accepted', 'submitted', 'provisioning', 'building', 'pushing', 'succeeded']),
  );
  let before = Date.parse(build.createdAt);
  for (const event of items) {
    const time = Date.parse(event.time);
    expect(time).toBeGreaterThanOrEqual(before);
    if (event.durationMs !== undefined) expect(event.durationMs).toBe(time - before);
    before = time;
  }
  const pushing = items.find(({ code }: Json) => code === 'pushing');
  // The step slept for two seconds.
  expect(pushing.durationMs).toBeGreaterThanOrEqual(2000);
});

it('B3 a hundred followers, some of which drop and come back, see every line once, for a few reads a second', async () => {
  const reply = await api.post('/v1/images', {
    source: {
      type: 'build',
      dockerfile: `FROM ${tinyBase}\nARG NONCE=${unique('n')}\nRUN for i in $(seq ${lines}); do echo "line-$i"; sleep 2; done\n`,
    },
    registryId: 'reg_private',
    repository: unique('followed'),
    tag: '1',
  });
  expect(reply.status, JSON.stringify(reply.body)).toBe(202);
  const path = `/v1/builds/${reply.body.currentBuild.id}`;
  const [callsBefore, startedAt] = [await awsCalls(cloud), Date.now()];

  const states = await Promise.all(
    Array.from({ length: followers }, (_, index) =>
      followLog({
        apiUrl,
        token,
        path,
        ...(isUnsteady(index) ? { patienceMs: () => 300 + Math.random() * 4000 } : {}),
      }),
    ),
  );

  const seconds = (Date.now() - startedAt) / 1000;
  const reads = ((await awsCalls(cloud))['logs:GetLogEvents'] ?? 0) - (callsBefore['logs:GetLogEvents'] ?? 0);
  expect(await api.until(path, settled)).toMatchObject({ status: 'succeeded' });
  const kept = (await api.log(path)).map(({ text }) => text);
  const numbers = kept.flatMap((text) => /^#\d+ [\d.]+ line-(\d+)$/.exec(text)?.[1] ?? []).map(Number);
  expect(numbers).toEqual(Array.from({ length: lines }, (_, i) => i + 1));
  for (const state of states) expect(state.lines).toEqual(kept);
  const drops = states.map((state) => state.drops);
  expect(drops.reduce((sum, one) => sum + one, 0)).toBeGreaterThan(followers / 3);
  expect(await environmentsAtWork(cloud, 'builds', startedAt)).toBeGreaterThanOrEqual(severalEnvironments);
  // One reader at a time, whoever it is.
  expect(reads / seconds).toBeLessThanOrEqual(5);
  expect(reads).toBeGreaterThan(10);
});
