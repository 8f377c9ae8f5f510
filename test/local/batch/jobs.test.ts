import { TerminateJobCommand } from '@aws-sdk/client-batch';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { batchPlace, logGroup, shell } from './place.ts';

let place: Awaited<ReturnType<typeof batchPlace>>;
beforeAll(async () => {
  place = await batchPlace();
});
afterAll(() => place.cloud.close());

describe('Batch runs a job', () => {
  test('E1 from SUBMITTED to SUCCEEDED, each change an event shaped as DescribeJobs', async () => {
    const job = await place.run(
      shell('echo one; echo two >&2; echo "$AWS_BATCH_JOB_ID $AWS_BATCH_JOB_ATTEMPT"'),
    );
    expect(job).toMatchObject({ status: 'SUCCEEDED', statusReason: 'Essential container in task exited' });
    expect(job.container).toMatchObject({
      exitCode: 0,
      logStreamName: expect.stringMatching(/^definition\/default\/[0-9a-f]{32}$/),
    });
    const lines = place.log(job.container?.logStreamName);
    expect(lines.sort()).toEqual([`${job.jobId} 1`, 'one', 'two'].sort());
    const events = place.cloud.events.filter(({ detail }) => detail.jobId === job.jobId);
    expect(events.map(({ detail }) => detail.status)).toEqual([
      'RUNNABLE',
      'STARTING',
      'RUNNING',
      'SUCCEEDED',
    ]);
    expect(
      events.every(
        (event) => event.source === 'aws.batch' && event['detail-type'] === 'Batch Job State Change',
      ),
    ).toBe(true);
    const { $metadata: _, ...last } = { ...job, $metadata: undefined };
    expect(events.at(-1)?.detail).toMatchObject(JSON.parse(JSON.stringify(last)));
  });

  test('a job has no raw sockets, and its session ends with it', async () => {
    const job = await place.run(shell('grep -i cap /proc/self/status'));
    const lines = place.log(job.container?.logStreamName);
    const sets = lines.map((line) => BigInt(`0x${line.split('\t')[1]}`));
    // CAP_NET_RAW is the 13th bit; CAP_CHOWN, the first, shows that there are others.
    expect(sets.filter((set) => (set >> 13n) & 1n)).toEqual([]);
    expect(sets.filter((set) => set & 1n)).not.toEqual([]);
    expect([...place.cloud.endedSessions]).toContain(job.container?.taskArn?.split('/').at(-1));
  });

  test('E1 a command that exits 3 fails with its exit code', async () => {
    const job = await place.run(shell('exit 3'));
    expect(job).toMatchObject({ status: 'FAILED', statusReason: 'Essential container in task exited' });
    expect(job.attempts?.[0]?.container?.exitCode).toBe(3);
  });

  test('E1 a command that does not exist fails as the agent says it', async () => {
    const job = await place.run({ command: ['/no/such/program'] });
    expect(job).toMatchObject({ status: 'FAILED', statusReason: 'Task failed to start' });
    expect(job.attempts?.[0]?.container?.reason).toMatch(
      /^CannotStartContainerError: Error response from daemon: .*no such file/,
    );
  });

  test('E1 an image that cannot be pulled fails as the agent says it', async () => {
    const job = await place.run({ image: `${place.cloud.registryHost}/acme/nothing:1` });
    expect(job).toMatchObject({ status: 'FAILED', statusReason: 'Task failed to start' });
    expect(job.attempts?.[0]?.container?.reason).toMatch(
      /^CannotPullContainerError: .*The repository with name 'acme\/nothing' does not exist/,
    );
  });

  test('E2 more memory than the limit is killed, with its own reason', async () => {
    // A busy engine never hears why, where the container is gone at once.
    const job = await place.run(shell('tail /dev/zero; code=$?; sleep 2; exit $code'));
    expect(job.attempts?.[0]?.container).toMatchObject({
      exitCode: 137,
      reason: 'OutOfMemoryError: Container killed due to memory usage',
    });
  });

  test('E14 lines arrive while the job runs, and E16 a terminated job is stopped for real', async () => {
    const id = await place.submit({
      jobDefinition: await place.register(shell('echo early; exec sleep 60')),
    });
    const running = await place.reached(id, 'RUNNING');
    const { logStreamName } = running.detail.container as { logStreamName: string };
    await expect.poll(() => place.cloud.lines(logGroup, logStreamName)).toEqual(['early']);
    await place.client.send(new TerminateJobCommand({ jobId: id, reason: 'stopped by its owner' }));
    await place.reached(id, 'FAILED');
    expect(await place.describe(id)).toMatchObject({
      statusReason: 'stopped by its owner',
      isTerminated: true,
    });
    await expect.poll(() => place.engine.list({ 'slipway.batch.job': id })).toEqual([]);
  });

  test("E2 without a command the image's own runs", async () => {
    const job = await place.run({ command: [] });
    expect(place.log(job.container?.logStreamName)).toEqual(['default command']);
  });
});
