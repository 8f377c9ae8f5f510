import { execFileSync } from 'node:child_process';
import { afterEach, expect, test } from 'vitest';
import { engineAddress } from '../../../local/engine/address.ts';
import { createEngine, type Engine } from '../../../local/engine/engine.ts';
import { watchEngine } from '../../../local/engine/watch.ts';
import { image, makeImage } from '../batch/place.ts';
import { type CloudWithEndpoint, createCloudWithEndpoint } from '../cloud-with-endpoint.ts';
import { interruptedEngine } from '../engine/interrupted-engine.ts';
import { cloudWithProject } from './project.ts';

const buildLabel = 'com.amazonaws.codebuild.build-id';
let cloud: CloudWithEndpoint | undefined;
const engine = createEngine(engineAddress(process.env));
const made: string[] = [];
afterEach(async () => {
  for (const id of made.splice(0)) await engine.remove(id);
  await cloud?.close();
  cloud = undefined;
});

/** A container that runs, with these labels. */
async function container(Labels: Record<string, string>, of = image): Promise<string> {
  makeImage();
  const id = await engine.create(`leftover-${process.pid}-${made.length}`, {
    Image: of,
    Cmd: ['sleep', '600'],
    Labels,
  });
  await engine.start(id);
  made.push(id);
  return id;
}

test('containers of a build that has ended, and the image fetched for them, are removed by the next start', async () => {
  makeImage();
  cloud = await createCloudWithEndpoint();
  const first = await cloudWithProject({ build: { commands: ['true'] } }, {}, { engine }, cloud);
  const id = await first.startBuild();
  await first.ended(id);
  await first.codebuild.stop?.();
  const fetched = `slipway-test/fetched-${process.pid}:1`;
  execFileSync('docker', ['tag', image, fetched]);
  // Made by a client that was killed with its build, after the build's own round.
  const own = await container(
    { [buildLabel]: id, 'com.amazonaws.codebuild.fetched-image': fetched },
    fetched,
  );
  const others = await container({ [buildLabel]: 'builds:another-home' });
  await cloudWithProject({ build: { commands: ['true'] } }, {}, { engine }, cloud);
  expect(await engine.inspect(own)).toBeUndefined();
  expect(await engine.inspectImage(fetched)).toBeUndefined();
  expect(await engine.inspectImage(image)).toBeDefined();
  expect(await engine.inspect(others)).toBeDefined();
});

test('the end of a build is on record before its containers go', async () => {
  cloud = await createCloudWithEndpoint();
  let asked = (_status: unknown) => {};
  const statusAtRemoval = new Promise((resolve) => {
    asked = resolve;
  });
  const slow: Engine = {
    ...engine,
    async list(labels) {
      if (labels[buildLabel])
        asked(cloud?.db.prepare('SELECT status FROM codebuild_builds WHERE id = ?').get(labels[buildLabel]));
      return engine.list(labels);
    },
  };
  const place = await cloudWithProject({ build: { commands: ['true'] } }, {}, { engine: slow }, cloud);
  const id = await place.startBuild();
  expect(await statusAtRemoval).toEqual({ status: 'SUCCEEDED' });
  expect(await place.get(id)).toMatchObject({ buildStatus: 'SUCCEEDED' });
});

test('a build that is started while the engine is away waits for it', async () => {
  cloud = await createCloudWithEndpoint();
  const interrupted = await interruptedEngine();
  const engineWatch = watchEngine(interrupted.engine, cloud);
  const place = await cloudWithProject(
    { build: { commands: ['echo built'] } },
    {},
    { engine: interrupted.engine, engineWatch },
    cloud,
  );
  await interrupted.leave();
  const id = await place.startBuild();
  const said = () => cloud?.messages.filter((line) => line.includes('does not answer'));
  await expect.poll(said).toHaveLength(1);
  expect(await place.get(id)).toMatchObject({ buildStatus: 'IN_PROGRESS', currentPhase: 'PROVISIONING' });
  await interrupted.comeBack();
  expect((await place.ended(id)).detail['build-status']).toBe('SUCCEEDED');
  expect(place.log(id)).toContain('built');
  await place.codebuild.stop?.();
  await interrupted.close();
});
