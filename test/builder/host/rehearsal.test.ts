/** B1, B9, B20: the phases of a build on a host like CodeBuild's, with a real engine of the version that it has. */

import { beforeAll, expect, test, vi } from 'vitest';
import * as z from 'zod';
import { hostRoot, rehearse } from './codebuild-host.ts';

// Some thirty seconds each, and a loaded machine is slow.
vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });
beforeAll(async () => void (await hostRoot()));

const seen = z.object({
  hadFolder: z.boolean(),
  installed: z.string(),
  versions: z.record(z.string(), z.string()),
  store: z.string(),
  labels: z.string(),
  config: z.string().nullable(),
  listens: z.number(),
  build: z
    .object({
      result: z.object({ outcome: z.string(), digest: z.string() }),
      printed: z.number(),
      blocked: z.string(),
      repeated: z.number(),
      cacheLog: z.string(),
    })
    .optional(),
});
const rehearsed = async (scenario: string) => seen.parse(await rehearse(scenario));

test('a host as CodeBuild has it: no /etc/docker, an engine with the store of old', async () => {
  const { hadFolder, installed, versions, store, listens, build } = await rehearsed('as it is');
  process.stdout.write(`rehearsed with ${JSON.stringify(versions)}\n`);
  expect(Number(versions.engine?.split('.')[0])).toBeGreaterThanOrEqual(28);
  expect(versions.node).toMatch(/^v24\./);
  expect(hadFolder).toBe(false);
  expect(installed).toBe('[slipway] host prepared\n');
  expect(store).toContain('io.containerd.snapshotter.v1');
  // Where it listened before: CodeBuild's client may be told to look there.
  expect(listens).toBe(200);
  expect(build?.result).toMatchObject({ outcome: 'succeeded', digest: expect.stringMatching(/^sha256:/) });
  // Every line of a step that prints 60,000 at once.
  expect(build?.printed).toBe(60_000);
  // What the step sent there, before routing; the engine's own chain may have seen none of it.
  expect(build?.blocked).toMatch(/raw PREROUTING [1-9]\d*, .*DOCKER-USER \d+, .*OUTPUT \d+$/);
  // From the registry cache, on a host that has nothing of the first build.
  expect(build?.repeated, build?.cacheLog).toBe(0);
});

test('a configuration that is there is kept, as on hosts with GPUs', async () => {
  const { installed, store, labels, config } = await rehearsed('configured');
  expect(installed).toBe('[slipway] host prepared\n');
  expect(store).toContain('io.containerd.snapshotter.v1');
  expect(labels).toBe('["gpu=yes"]');
  expect(JSON.parse(config ?? '')).toEqual({
    labels: ['gpu=yes'],
    features: { cdi: false, 'containerd-snapshotter': true },
  });
});

test('an engine that refuses the containerd store builds with the inline cache', async () => {
  const { installed, store, config, listens, build } = await rehearsed('refusing');
  expect(installed).toMatch(
    /could not configure the engine, so it starts it as it was: .*exit code 1; it said:/,
  );
  expect(installed).toContain('[slipway] host prepared\n');
  expect(store).not.toContain('io.containerd.snapshotter.v1');
  expect(config).toBeNull();
  expect(listens).toBe(200);
  expect(build?.result).toMatchObject({ outcome: 'succeeded' });
  expect(build?.repeated, build?.cacheLog).toBe(0);
});
