import {
  CancelJobCommand,
  DescribeComputeEnvironmentsCommand,
  DescribeJobQueuesCommand,
  ListJobsCommand,
  TerminateJobCommand,
} from '@aws-sdk/client-batch';
import { afterEach, describe, expect, test } from 'vitest';
import { createCloudWithEndpoint } from '../cloud-with-endpoint.ts';
import { batchPlace, release, shell, untilReleased } from './place.ts';

let place: Awaited<ReturnType<typeof batchPlace>> | undefined;
const open = async (...parameters: Parameters<typeof batchPlace>) => {
  place = await batchPlace(...parameters);
  return place;
};
afterEach(async () => {
  await place?.cloud.close();
  place = undefined;
});
const requires = (vcpus: number, memoryMiB: number, gpus = 0) => ({
  resourceRequirements: [
    { type: 'VCPU' as const, value: String(vcpus) },
    { type: 'MEMORY' as const, value: String(memoryMiB) },
    ...(gpus > 0 ? [{ type: 'GPU' as const, value: String(gpus) }] : []),
  ],
});
/** Waits until the job runs, and lets it end. */
async function endWell(id: string): Promise<void> {
  await place?.reached(id, 'RUNNING');
  await release(id);
  await place?.reached(id, 'SUCCEEDED');
}
const oneCore = { machine: { vcpus: 1, memoryMiB: 4096, gpuIds: [] } };

describe('Batch queues', () => {
  test('E15 a job that no host could run stays RUNNABLE, and an event says why', async () => {
    const { register, submit, cloud, describe: describeJob, client, reached } = await open();
    const jobDefinition = await register({ ...shell('true'), ...requires(1, 16_384) });
    const id = await submit({ jobDefinition });
    const event = await cloud.event((one) => one['detail-type'] === 'Batch Job Queue Blocked');
    const job = await describeJob(id);
    expect(event).toMatchObject({
      source: 'aws.batch',
      resources: [job.jobArn, job.jobQueue],
      detail: {
        jobId: id,
        status: 'RUNNABLE',
        statusReason: expect.stringMatching(/^MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - /),
      },
    });
    expect(job).toMatchObject({ status: 'RUNNABLE', statusReason: event.detail.statusReason });
    const behind = await submit({ jobDefinition: await register(shell('true')) });
    await reached(behind, 'RUNNABLE');
    await client.send(new TerminateJobCommand({ jobId: id, reason: 'never' }));
    await reached(behind, 'SUCCEEDED');
    expect(await describeJob(id)).toMatchObject({ status: 'FAILED', statusReason: 'never' });
  });

  test('E15 a GPU job where the engine has no GPU is blocked: none will ever come', async () => {
    const { register, submit, cloud } = await open(oneCore);
    await submit({
      jobQueue: 'gpu',
      jobDefinition: await register({ ...shell('true'), ...requires(1, 64, 1) }),
    });
    const event = await cloud.event((one) => one['detail-type'] === 'Batch Job Queue Blocked');
    expect(event.detail.statusReason).toMatch(/^MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - .*0 GPUs/);
  });

  test("E15 the queue's time limit cancels a blocked job, also over a restart", async () => {
    const first = await open();
    const { cloud, register, submit } = first;
    const { steady } = cloud;
    Object.assign(cloud, { steady: () => ({ ...steady(), ms: steady().ms - 601_000 }) });
    const id = await submit({
      jobQueue: 'gpu',
      jobDefinition: await register({ ...shell('true'), ...requires(1, 64, 8) }),
    });
    await cloud.event((one) => one['detail-type'] === 'Batch Job Queue Blocked');
    await first.batch.stop?.();
    const second = await open({}, await createCloudWithEndpoint(cloud.home));
    await second.reached(id, 'FAILED');
    expect((await second.describe(id)).statusReason).toBe(
      'Canceled by JobStateTimeLimit action due to reason: MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT',
    );
  });

  test('jobs wait for the machine, in order', async () => {
    const { register, submit, reached, describe: describeJob, client } = await open(oneCore);
    const jobDefinition = await register(shell(untilReleased));
    const ids = [
      await submit({ jobDefinition }),
      await submit({ jobDefinition }),
      await submit({ jobDefinition }),
    ];
    await reached(ids[0] ?? '', 'RUNNING');
    const { jobSummaryList } = await client.send(
      new ListJobsCommand({ jobQueue: 'cpu', jobStatus: 'RUNNABLE' }),
    );
    expect(jobSummaryList?.map((job) => job.jobId)).toEqual([ids[2], ids[1]]);
    for (const id of ids) await endWell(id);
    const jobs = await Promise.all(ids.map(describeJob));
    for (const [index, job] of jobs.entries())
      if (index > 0)
        expect(job.startedAt).toBeGreaterThanOrEqual(jobs[index - 1]?.stoppedAt ?? Number.POSITIVE_INFINITY);
  });

  test('shares take turns, whoever came first', async () => {
    const { register, submit, cloud } = await open(oneCore);
    const jobDefinition = await register(shell(untilReleased));
    const send = (shareIdentifier: string) =>
      submit({ jobDefinition, jobQueue: 'shared', shareIdentifier, schedulingPriorityOverride: 1 });
    const ids = [await send('a'), await send('a'), await send('a'), await send('b')];
    const [first = '', second = '', third = '', other = ''] = ids;
    for (const id of [first, other, second, third]) await endWell(id);
    const placed = cloud.events.filter(({ detail }) => detail.status === 'STARTING');
    expect(placed.map(({ detail }) => ids.indexOf(String(detail.jobId)))).toEqual([0, 3, 1, 2]);
  });

  test('E12 a job waits for those it depends on, and fails with them', async () => {
    const { register, submit, reached, describe: describeJob, cloud } = await open();
    const good = await submit({ jobDefinition: await register(shell(untilReleased)) });
    const after = await submit({
      jobDefinition: await register(shell('true')),
      dependsOn: [{ jobId: good }],
    });
    await endWell(good);
    await reached(after, 'SUCCEEDED');
    const statuses = cloud.events
      .filter(({ detail }) => detail.jobId === after)
      .map(({ detail }) => detail.status);
    expect(statuses).toEqual(['PENDING', 'RUNNABLE', 'STARTING', 'RUNNING', 'SUCCEEDED']);
    const bad = await submit({ jobDefinition: await register(shell(`${untilReleased}; exit 1`)) });
    const never = await submit({ jobDefinition: await register(shell('true')), dependsOn: [{ jobId: bad }] });
    await reached(bad, 'RUNNING');
    await release(bad);
    await reached(never, 'FAILED');
    expect((await describeJob(never)).statusReason).toBe('Dependent Job failed');
  });

  test('E16 a cancelled job ends if it has not started, and goes on if it has', async () => {
    const { register, submit, reached, describe: describeJob, client } = await open(oneCore);
    const jobDefinition = await register(shell(untilReleased));
    const [running, waiting] = [await submit({ jobDefinition }), await submit({ jobDefinition })];
    await reached(running, 'RUNNING');
    for (const jobId of [running, waiting])
      await client.send(new CancelJobCommand({ jobId, reason: 'not wanted' }));
    await reached(waiting, 'FAILED');
    expect(await describeJob(waiting)).toMatchObject({
      statusReason: 'not wanted',
      isCancelled: true,
      attempts: [],
    });
    await endWell(running);
  });

  test('are described with their environments', async () => {
    const { client } = await open();
    const { jobQueues } = await client.send(new DescribeJobQueuesCommand({ jobQueues: ['shared'] }));
    expect(jobQueues).toMatchObject([
      { jobQueueName: 'shared', state: 'ENABLED', status: 'VALID', computeEnvironmentOrder: [{ order: 1 }] },
    ]);
    const { computeEnvironments } = await client.send(
      new DescribeComputeEnvironmentsCommand({ computeEnvironments: ['gpu'] }),
    );
    expect(computeEnvironments).toMatchObject([
      { computeEnvironmentName: 'gpu', computeResources: { instanceTypes: ['g5.xlarge'] } },
    ]);
  });
});

describe('Batch attempts', () => {
  test('E15 are repeated by cause, each on record', async () => {
    const { register, submit, reached, describe: describeJob, cloud } = await open();
    const id = await submit({
      jobDefinition: await register(shell('exit $AWS_BATCH_JOB_ATTEMPT')),
      retryStrategy: { attempts: 5, evaluateOnExit: [{ onExitCode: '3', action: 'EXIT' }] },
    });
    await reached(id, 'FAILED');
    const { attempts } = await describeJob(id);
    expect(attempts?.map((one) => one.container?.exitCode)).toEqual([1, 2, 3]);
    expect(new Set(attempts?.map((one) => one.container?.logStreamName)).size).toBe(3);
    expect(
      cloud.events.filter(({ detail }) => detail.jobId === id && detail.status === 'RUNNABLE'),
    ).toHaveLength(3);
  });

  test('overrides over 8192 characters fail at dispatch', async () => {
    const { register, submit, reached, describe: describeJob } = await open();
    const id = await submit({
      jobDefinition: await register(shell('true')),
      containerOverrides: { environment: [{ name: 'LONG', value: 'x'.repeat(8192) }] },
    });
    await reached(id, 'FAILED');
    expect((await describeJob(id)).statusReason).toBe('Container Overrides length must be at most 8192');
  });

  test('E13 get secrets and credentials by their roles, and nothing of it is on record', async () => {
    const { run, cloud, log } = await open();
    const secret = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:one-abcdef';
    cloud.secrets.set(secret, JSON.stringify({ token: 'hidden value' }));
    const container = {
      ...shell('echo "$TOKEN" | tr a-z A-Z; echo $AWS_CONTAINER_CREDENTIALS_FULL_URI $AWS_ENDPOINT_URL'),
      secrets: [{ name: 'TOKEN', valueFrom: `${secret}:token::` }],
      jobRoleArn: 'arn:aws:iam::000000000000:role/acme-job',
    };
    const job = await run(container);
    const lines = log(job.container?.logStreamName);
    expect(lines[0]).toBe('HIDDEN VALUE');
    expect(lines[1]).toContain(`${cloud.endpointUrl}/_credentials/`);
    expect(JSON.stringify([job, cloud.events, cloud.messages])).not.toContain('hidden value');
    cloud.denied.add('* secretsmanager:GetSecretValue');
    expect((await run(container)).attempts?.[0]).toMatchObject({
      statusReason: 'Task failed to start',
      container: {
        reason: expect.stringMatching(
          /^ResourceInitializationError: unable to pull secrets or registry auth: /,
        ),
      },
    });
  });

  test("E1 need the execution role's trust and its right to write the log", async () => {
    const { run, cloud } = await open();
    cloud.denied.add('* logs:CreateLogStream');
    expect((await run(shell('true'))).attempts?.[0]?.container?.reason).toMatch(
      /^CannotStartContainerError: .*failed to create Cloudwatch log stream: AccessDeniedException: /,
    );
    cloud.denied.clear();
    cloud.untrusted.add('arn:aws:iam::000000000000:role/acme-execution');
    expect((await run(shell('true'))).attempts?.[0]?.container?.reason).toMatch(
      /^ECS was unable to assume the role/,
    );
  });
});
