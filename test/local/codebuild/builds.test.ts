import { StopBuildCommand } from '@aws-sdk/client-codebuild';
import { describe, expect, test } from 'vitest';
import { cloudForEach } from './opened.ts';
import { logGroup, serviceRole } from './project.ts';

const open = cloudForEach();

describe('CodeBuild runs a build', () => {
  test("B1 runs the commands of the buildspec in the source, with the role's credentials and the variables", async () => {
    const { startBuild, ended, get, log, cloud } = await open({
      install: { commands: ['cat folder/hello.txt', 'export CARRIED=over; cd folder'] },
      build: { commands: ['echo "$CARRIED $DECLARED $GIVEN $SECRET"; ls', 'export RESULT="it\'s done"'] },
      post_build: {
        commands: [
          'echo succeeding=$CODEBUILD_BUILD_SUCCEEDING',
          'echo $AWS_ENDPOINT_URL $AWS_CONTAINER_CREDENTIALS_FULL_URI',
        ],
      },
    });
    const secret = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:one-abcdef';
    cloud.secrets.set(secret, JSON.stringify({ password: 'hidden' }));
    const id = await startBuild({
      environmentVariablesOverride: [
        { name: 'GIVEN', value: 'given value', type: 'PLAINTEXT' },
        { name: 'SECRET', value: `${secret}:password::`, type: 'SECRETS_MANAGER' },
      ],
    });
    const event = await ended(id);
    const lines = log(id);
    expect(event.detail['build-status'], lines.join('\n')).toBe('SUCCEEDED');
    expect(lines).toContain('hello from the source');
    expect(lines).toContain('over declared value given value hidden');
    expect(lines).toContain('hello.txt');
    expect(lines).toContain('succeeding=1');
    expect(
      lines.some((line) => line.includes(`${cloud.endpointUrl} ${cloud.endpointUrl}/_credentials/`)),
    ).toBe(true);
    const build = await get(id);
    expect(build.buildStatus).toBe('SUCCEEDED');
    expect(build.buildComplete).toBe(true);
    expect(build.serviceRole).toBe(serviceRole);
    expect(build.exportedEnvironmentVariables).toEqual([{ name: 'RESULT', value: "it's done" }]);
    expect(JSON.stringify(build)).not.toContain('hidden');
    expect(build.phases?.map((phase) => phase.phaseType)).toEqual([
      'SUBMITTED',
      'QUEUED',
      'PROVISIONING',
      'DOWNLOAD_SOURCE',
      'INSTALL',
      'PRE_BUILD',
      'BUILD',
      'POST_BUILD',
      'UPLOAD_ARTIFACTS',
      'FINALIZING',
      'COMPLETED',
    ]);
  });

  test("B3 the log has CodeBuild's own lines around those of the commands, from PROVISIONING on", async () => {
    const { startBuild, ended, log } = await open({ build: { commands: ['echo one; echo two >&2'] } });
    const id = await startBuild();
    await ended(id);
    const lines = log(id).map((line) => line.replace(/^\[Container\] \S+ \S+ /, '[Container] '));
    expect(lines[0]).toBe('[Container] Waiting for DOWNLOAD_SOURCE');
    const from = lines.indexOf('[Container] Entering phase BUILD');
    expect(lines.slice(from, from + 6)).toEqual([
      '[Container] Entering phase BUILD',
      '[Container] Running command echo one; echo two >&2',
      'one',
      'two',
      '[Container] Phase complete: BUILD State: SUCCEEDED',
      '[Container] Phase context status code:  Message: ',
    ]);
  });

  test('B3 lines arrive while the command runs', async () => {
    const { startBuild, log, cloud, client } = await open({ build: { commands: ['echo early; sleep 60'] } });
    const id = await startBuild();
    await expect.poll(() => log(id)).toContain('early');
    await client.send(new StopBuildCommand({ id }));
    await cloud.event(({ detail }) => detail['build-status'] === 'STOPPED');
  });

  test('B1 both kinds of events are shaped as AWS shapes them', async () => {
    const { startBuild, ended, get, cloud } = await open({ build: { commands: ['exit 3'] } });
    const id = await startBuild();
    const event = await ended(id);
    expect(event).toMatchObject({
      source: 'aws.codebuild',
      'detail-type': 'CodeBuild Build State Change',
      resources: [`arn:aws:codebuild:us-east-1:000000000000:build/${id}`],
      detail: {
        'build-status': 'FAILED',
        'project-name': 'builds',
        'build-id': `arn:aws:codebuild:us-east-1:000000000000:build/${id}`,
        'current-phase': 'COMPLETED',
        'additional-information': {
          'build-complete': true,
          'build-start-time': expect.stringMatching(/^[A-Z][a-z]{2} \d{1,2}, \d{4} \d{1,2}:\d\d:\d\d [AP]M$/),
          logs: { 'group-name': logGroup, 'stream-name': id.split(':')[1] },
        },
      },
    });
    const information = event.detail['additional-information'] as { phases: Record<string, unknown>[] };
    expect(information.phases.find((phase) => phase['phase-type'] === 'BUILD')).toMatchObject({
      'phase-status': 'FAILED',
      'phase-context': [
        'COMMAND_EXECUTION_ERROR: Error while executing command: exit 3. Reason: exit status 3',
      ],
      'duration-in-seconds': (await get(id)).phases?.find((phase) => phase.phaseType === 'BUILD')
        ?.durationInSeconds,
    });
    const phases = cloud.events.filter((one) => one['detail-type'] === 'CodeBuild Build Phase Change');
    expect(
      phases.map(({ detail }) => `${detail['completed-phase']} ${detail['completed-phase-status']}`),
    ).toEqual([
      'SUBMITTED SUCCEEDED',
      'QUEUED SUCCEEDED',
      'PROVISIONING SUCCEEDED',
      'DOWNLOAD_SOURCE SUCCEEDED',
      'INSTALL SUCCEEDED',
      'PRE_BUILD SUCCEEDED',
      'BUILD FAILED',
      'POST_BUILD SUCCEEDED',
      'UPLOAD_ARTIFACTS SUCCEEDED',
      'FINALIZING SUCCEEDED',
    ]);
    expect(
      phases.find(({ detail }) => detail['completed-phase'] === 'BUILD')?.detail['completed-phase-context'],
    ).toBe('[COMMAND_EXECUTION_ERROR: Error while executing command: exit 3. Reason: exit status 3]');
    expect(
      cloud.events.filter(({ detail }) => detail['build-status']).map(({ detail }) => detail['build-status']),
    ).toEqual(['IN_PROGRESS', 'FAILED']);
  });

  test('B1 a failed BUILD still runs POST_BUILD, which can see it; a failed PRE_BUILD ends the build', async () => {
    const { startBuild, ended, log, get } = await open({
      pre_build: { commands: ['[ "$MODE" != early ]'] },
      build: { commands: ['false', 'echo never'] },
      post_build: { commands: ['echo succeeding=$CODEBUILD_BUILD_SUCCEEDING'] },
    });
    const late = await startBuild();
    await ended(late);
    expect(log(late)).toContain('succeeding=0');
    expect(log(late)).not.toContain('never');
    const early = await startBuild({ environmentVariablesOverride: [{ name: 'MODE', value: 'early' }] });
    await ended(early);
    expect((await get(early)).phases?.map((phase) => phase.phaseType)).toEqual([
      'SUBMITTED',
      'QUEUED',
      'PROVISIONING',
      'DOWNLOAD_SOURCE',
      'INSTALL',
      'PRE_BUILD',
      'FINALIZING',
      'COMPLETED',
    ]);
  });

  test.each([
    ['a group and a prefix', { groupName: logGroup, streamName: 'acme' }, logGroup, 'acme/'],
    [
      "a prefix only: the group is then CodeBuild's own",
      { streamName: 'acme' },
      '/aws/codebuild/builds',
      'acme/',
    ],
    ['neither', undefined, logGroup, ''],
  ])('B3 the log goes where the build was told: %s', async (_, cloudWatchLogs, group, prefix) => {
    const { startBuild, ended, get } = await open({ build: { commands: ['true'] } });
    const id = await startBuild(
      cloudWatchLogs && { logsConfigOverride: { cloudWatchLogs: { status: 'ENABLED', ...cloudWatchLogs } } },
    );
    const logs = { 'group-name': group, 'stream-name': `${prefix}${id.split(':')[1]}` };
    expect((await ended(id)).detail).toMatchObject({ 'additional-information': { logs } });
    expect((await get(id)).logs).toMatchObject({
      groupName: group,
      streamName: `${prefix}${id.split(':')[1]}`,
    });
  });

  test('B1 a role without the right to write logs ends the build in PROVISIONING, one without the source in DOWNLOAD_SOURCE', async () => {
    const { startBuild, ended, get, cloud } = await open({ build: { commands: ['true'] } });
    cloud.denied.add(`${serviceRole} logs:CreateLogStream`);
    const first = await startBuild();
    await ended(first);
    expect((await get(first)).phases?.find((phase) => phase.phaseType === 'PROVISIONING')).toMatchObject({
      phaseStatus: 'FAILED',
      contexts: [
        {
          statusCode: 'ACCESS_DENIED',
          message: expect.stringContaining('does not allow AWS CodeBuild to create'),
        },
      ],
    });
    cloud.denied.clear();
    cloud.denied.add(`${serviceRole} s3:GetObject`);
    const second = await startBuild();
    await ended(second);
    expect((await get(second)).phases?.find((phase) => phase.phaseType === 'DOWNLOAD_SOURCE')).toMatchObject({
      phaseStatus: 'FAILED',
      contexts: [{ statusCode: 'CLIENT_ERROR', message: expect.stringContaining('s3:GetObject') }],
    });
  });
});
