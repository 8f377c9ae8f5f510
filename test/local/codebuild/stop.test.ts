import { execFileSync } from 'node:child_process';
import { StopBuildCommand } from '@aws-sdk/client-codebuild';
import { describe, expect, test } from 'vitest';
import { engineAddress } from '../../../local/engine/address.ts';
import { createEngine } from '../../../local/engine/engine.ts';
import { findBuildCommand, findEngine } from '../../../scripts/engine/find.ts';
import { image, makeImage } from '../batch/place.ts';
import { cloudForEach } from './opened.ts';

const open = cloudForEach();

const runs = (pattern: string) => {
  const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n');
  return processes.some((line) => line.includes(pattern));
};
/** A client that can build, whatever else is on the search path. */
const buildCommand = async () => {
  const { engine } = await findEngine();
  const command = engine && (await findBuildCommand(engine));
  if (!command) throw new Error('No container engine, or no client that builds with it');
  return command;
};
const until = (condition: () => boolean) => expect.poll(condition).toBe(true);

describe('B7 StopBuild', () => {
  test('ends the command and everything it started, then says STOPPED', async () => {
    const seconds = 1000 + (process.pid % 1000);
    const { startBuild, client, get, cloud } = await open({
      build: {
        commands: [`trap '' TERM; setsid sleep ${seconds}.1 & sleep ${seconds}.2 & sleep ${seconds}.3`],
      },
      post_build: { commands: ['echo never'] },
    });
    const id = await startBuild();
    await until(() => [1, 2, 3].every((one) => runs(`sleep ${seconds}.${one}`)));
    await client.send(new StopBuildCommand({ id }));
    const event = await cloud.event(({ detail }) => detail['build-status'] === 'STOPPED');
    expect(runs(`sleep ${seconds}`)).toBe(false);
    const information = event.detail['additional-information'] as { phases: Record<string, unknown>[] };
    expect(
      information.phases.map((phase) => `${phase['phase-type']} ${phase['phase-status'] ?? ''}`),
    ).toEqual([
      'SUBMITTED SUCCEEDED',
      'QUEUED SUCCEEDED',
      'PROVISIONING SUCCEEDED',
      'DOWNLOAD_SOURCE SUCCEEDED',
      'INSTALL SUCCEEDED',
      'PRE_BUILD SUCCEEDED',
      'BUILD STOPPED',
      'FINALIZING SUCCEEDED',
      'COMPLETED ',
    ]);
    expect(await get(id)).toMatchObject({ buildStatus: 'STOPPED', buildComplete: true });
  });

  test('ends what the build does in the container engine: its BuildKit steps and its containers', async () => {
    makeImage();
    const engine = createEngine(engineAddress(process.env));
    const seconds = 3000 + (process.pid % 1000);
    const { startBuild, client, cloud } = await open(
      {
        build: {
          commands: [
            `docker run -d --label com.amazonaws.codebuild.build-id=$CODEBUILD_BUILD_ID ${image} sleep 600`,
            `printf 'FROM ${image}\\nRUN sleep ${seconds}' | DOCKER_BUILDKIT=1 ${await buildCommand()} build --no-cache -`,
          ],
        },
      },
      {},
      { engine },
    );
    const id = await startBuild();
    await until(() => runs(`sleep ${seconds}`));
    await client.send(new StopBuildCommand({ id }));
    await cloud.event(({ detail }) => detail['build-status'] === 'STOPPED');
    await until(() => !runs(`sleep ${seconds}`));
    await expect.poll(() => engine.list({ 'com.amazonaws.codebuild.build-id': id })).toEqual([]);
    engine.close();
  });

  test('a build that waits in the queue never begins', async () => {
    const { startBuild, client, get, cloud, log } = await open(
      { build: { commands: ['sleep 30'] } },
      {},
      { concurrentBuilds: 1 },
    );
    const first = await startBuild();
    const second = await startBuild();
    expect((await get(second)).currentPhase).toBe('QUEUED');
    await client.send(new StopBuildCommand({ id: second }));
    expect((await get(second)).phases?.map((phase) => `${phase.phaseType} ${phase.phaseStatus}`)).toEqual([
      'SUBMITTED SUCCEEDED',
      'QUEUED STOPPED',
      'COMPLETED undefined',
    ]);
    expect(log(second)).toEqual([]);
    await client.send(new StopBuildCommand({ id: first }));
    await cloud.event(
      ({ detail }) => String(detail['build-id']).endsWith(first) && detail['build-status'] === 'STOPPED',
    );
  });
});
