import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ListBuildsForProjectCommand } from '@aws-sdk/client-codebuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cloudWithProject, serviceRole } from './project.ts';

let place: Awaited<ReturnType<typeof cloudWithProject>>;
beforeAll(async () => {
  place = await cloudWithProject(
    { build: { commands: ['[ -z "$GO" ] || until [ -e "$GO" ]; do sleep 0.05; done'] } },
    { ConcurrentBuildLimit: 3 },
    { concurrentBuilds: 1 },
  );
});
afterAll(() => place.cloud.close());

const otherRole = 'arn:aws:iam::000000000000:role/globex-builder';

describe('CodeBuild refuses', () => {
  test.each([
    ['a time-out below 5 minutes', { timeoutInMinutesOverride: 4 }],
    ['a time-out above 2160 minutes', { timeoutInMinutesOverride: 2161 }],
    ['a queue time-out below 5 minutes', { queuedTimeoutInMinutesOverride: 4 }],
    ['a queue time-out above 480 minutes', { queuedTimeoutInMinutesOverride: 481 }],
    ['an unknown compute type', { computeTypeOverride: 'BUILD_GENERAL9_TINY' as never }],
    ['a variable name that is none', { environmentVariablesOverride: [{ name: '1-2', value: '' }] }],
    [
      'a variable given twice',
      {
        environmentVariablesOverride: [
          { name: 'A', value: '1' },
          { name: 'A', value: '2' },
        ],
      },
    ],
    ['a role that is no ARN', { serviceRoleOverride: 'builder' }],
  ])('%s with InvalidInputException', async (_, input) => {
    await expect(place.startBuild(input)).rejects.toMatchObject({ name: 'InvalidInputException' });
  });

  test('an unknown project with ResourceNotFoundException', async () => {
    await expect(place.startBuild({ projectName: 'nothing' })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  test('what it cannot do here, by name', async () => {
    await expect(place.startBuild({ buildspecOverride: '{}' })).rejects.toMatchObject({
      name: 'UnsupportedOperation',
      message: expect.stringContaining('buildspecOverride'),
    });
  });

  test.each([
    ['S3', { s3Logs: { status: 'ENABLED', location: 'logs/builds' } }],
    ['nowhere', { cloudWatchLogs: { status: 'DISABLED' } }],
  ] as const)('logs to %s', async (_, logsConfigOverride) => {
    await expect(place.startBuild({ logsConfigOverride })).rejects.toMatchObject({
      name: 'UnsupportedOperation',
    });
  });

  test('another role without iam:PassRole, or one that CodeBuild may not assume', async () => {
    place.cloud.denied.add(`iam:PassRole ${otherRole}`);
    await expect(place.startBuild({ serviceRoleOverride: otherRole })).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
    place.cloud.denied.clear();
    place.cloud.untrusted.add(otherRole);
    await expect(place.startBuild({ serviceRoleOverride: otherRole })).rejects.toMatchObject({
      name: 'InvalidInputException',
      message: expect.stringContaining('sts:AssumeRole'),
    });
    place.cloud.untrusted.clear();
    expect(serviceRole).not.toBe(otherRole);
  });

  test('more builds at once than the project allows, with AccountLimitExceededException', async () => {
    const go = join(place.cloud.home, 'go');
    const waiting = { environmentVariablesOverride: [{ name: 'GO', value: go }] };
    const ids = [
      await place.startBuild(waiting),
      await place.startBuild(waiting),
      await place.startBuild(waiting),
    ];
    await expect(place.startBuild()).rejects.toMatchObject({ name: 'AccountLimitExceededException' });
    writeFileSync(go, '');
    for (const id of ids) await place.ended(id);
    const builds = await Promise.all(ids.map(place.get));
    const times = builds.map(({ phases = [] }) => ({
      begun: phases.find((phase) => phase.phaseType === 'PROVISIONING')?.startTime?.getTime() ?? 0,
      ended: phases.find((phase) => phase.phaseType === 'FINALIZING')?.endTime?.getTime() ?? 0,
    }));
    // One machine: each begins when the one before has ended.
    for (const [i, { begun }] of times.entries())
      expect(begun).toBeGreaterThanOrEqual(times[i - 1]?.ended ?? 1);
  });
});

describe('CodeBuild idempotency tokens', () => {
  test('the same request twice is one build; the same token for another request is refused', async () => {
    const input = { idempotencyToken: 'bld_1', timeoutInMinutesOverride: 10 };
    const first = await place.startBuild(input);
    expect(await place.startBuild(input)).toBe(first);
    await expect(place.startBuild({ ...input, timeoutInMinutesOverride: 11 })).rejects.toMatchObject({
      name: 'InvalidInputException',
    });
    await place.ended(first);
    expect(await place.startBuild(input)).toBe(first);
  });

  test('builds are listed newest first', async () => {
    const { ids = [] } = await place.client.send(new ListBuildsForProjectCommand({ projectName: 'builds' }));
    expect(ids).toHaveLength(4);
    expect((await place.get(ids[0] ?? '')).buildNumber).toBe(4);
  });
});
