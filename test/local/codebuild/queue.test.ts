import { StopBuildCommand } from '@aws-sdk/client-codebuild';
import { describe, expect, test } from 'vitest';
import type { Build } from '../../../local/codebuild/build.ts';
import { createBuildStore } from '../../../local/codebuild/store.ts';
import { createCloudWithEndpoint } from '../cloud-with-endpoint.ts';
import { cloudForEach } from './opened.ts';
import { cloudWithProject } from './project.ts';

const open = cloudForEach();

/** Two builds in a queue of one: the first is running, the second recorded as waiting, changed as the test wants it. */
async function restartedWith(change: (build: Build) => void) {
  const phases = { build: { commands: ['sleep 30'] } };
  const first = await cloudWithProject(phases, {}, { concurrentBuilds: 1 });
  const running = await first.startBuild();
  const waiting = await first.startBuild();
  await first.codebuild.stop?.();
  const store = createBuildStore(first.cloud.db);
  const build = store.get(waiting);
  if (!build) throw new Error('No build');
  change(build);
  store.save(build);
  const cloud = await createCloudWithEndpoint(first.cloud.home);
  const second = await open(phases, {}, { concurrentBuilds: 1 }, cloud);
  return { ...second, running, waiting };
}

describe('the queue of builds over an orderly end and a new start', () => {
  test('what ran is a FAULT, what waited runs', async () => {
    const { get, running, waiting, client, cloud } = await restartedWith(() => {});
    const { buildStatus, phases = [] } = await get(running);
    expect(buildStatus).toBe('FAULT');
    const broken = phases.findLast(({ phaseStatus }) => phaseStatus === 'FAULT');
    expect(broken?.contexts?.[0]?.message).toBe(
      'The embedded cloud stopped while the build was running. Start the build again.',
    );
    await cloud.event(({ detail }) => detail['completed-phase'] === 'PRE_BUILD');
    await client.send(new StopBuildCommand({ id: waiting }));
    await cloud.event(({ detail }) => detail['build-status'] === 'STOPPED');
  });

  test('what has waited for longer than its queue time-out is TIMED_OUT', async () => {
    const { get, ended, waiting } = await restartedWith((build) => {
      if (build.startedSteady) build.startedSteady.ms -= build.queuedTimeoutInMinutes * 60_000;
    });
    await ended(waiting);
    expect((await get(waiting)).buildStatus).toBe('TIMED_OUT');
  });

  test('what takes longer than its time-out is ended: TIMED_OUT', async () => {
    const { get, ended, waiting } = await restartedWith((build) => {
      // Long enough for every slow machine to get as far as the command.
      build.timeoutInMinutes = 0.1;
    });
    await ended(waiting);
    const build = await get(waiting);
    expect(build.buildStatus).toBe('TIMED_OUT');
    expect(build.phases?.find((phase) => phase.phaseType === 'BUILD')?.phaseStatus).toBe('TIMED_OUT');
  });
});
