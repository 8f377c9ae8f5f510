import { BatchClient, SubmitJobCommand } from '@aws-sdk/client-batch';
import { describe, expect, it } from 'vitest';
import { settle } from '../../../functions/launcher/settle.ts';
import { placeForEach } from './opened.ts';
import { organisation } from './place.ts';

const open = placeForEach();

describe('E2 the launcher', () => {
  it('asked twice answers the same, and a job that was submitted twice runs once', async () => {
    const { place, tiny } = await open();
    const { id } = await place.create({ image: tiny, command: ['sleep', '60'] });
    const record = await place.until(id, ({ status }) => status === 'running');
    const client = new BatchClient(place.cloud.client());
    const { jobId = '' } = await client.send(
      new SubmitJobCommand({
        jobName: `${id}-1`,
        jobQueue: 'slipway-local-acme-cpu',
        jobDefinition: record.jobDefinition,
        shareIdentifier: 'person00',
        schedulingPriorityOverride: 1,
      }),
    );
    await expect.poll(async () => (await place.jobs.describe([jobId]))[0]?.status).toBe('FAILED');
    expect(await place.get(id)).toMatchObject({
      status: 'running',
      attempts: [{ jobId: record.attempts[0]?.jobId }],
    });
    await place.stop(id);
    await place.over(id);
    const again = { organisation, experimentId: id, job: { JobId: record.attempts[0]?.jobId } };
    expect(await settle(place.launcher, again)).toEqual({ next: 'end' });
  });

  it('E1 finds a failed job whose cause was cut off before its id', async () => {
    const { place, tiny } = await open({ deliver: () => [], failing: (action) => action === 'settle' });
    const { id } = await place.create({ image: tiny, command: ['sh', '-c', 'exit 3'] });
    await expect.poll(() => place.executions.state(id)).toBe('ended');
    expect((await place.get(id)).attempts[0]).not.toHaveProperty('jobId');
    const error = { Error: 'States.TaskFailed', Cause: '{"Attempts":[],"Container":{"Command":["/bin/sh"' };
    expect(await settle(place.launcher, { organisation, experimentId: id, error })).toEqual({ next: 'end' });
    expect(await place.get(id)).toMatchObject({
      status: 'failed',
      exitCode: 3,
      attempts: [{ stage: 'ended', exitCode: 3, jobId: expect.any(String) }],
    });
  });

  it('a submission that Batch refuses ends the experiment with its words', async () => {
    const { place, tiny } = await open();
    const { id } = await place.create({ image: tiny, command: ['true'] }, false);
    const record = await place.get(id);
    const attempt = { number: 1, queue: 'cpu', stage: 'submitting', createdAt: record.createdAt };
    await place.table.put(organisation, 'experiments', id, {
      ...record,
      status: 'pending',
      attempts: [attempt],
    });
    const error = { Error: 'Batch.ClientException', Cause: 'JobDefinition is not ACTIVE' };
    expect(await settle(place.launcher, { organisation, experimentId: id, error })).toEqual({ next: 'end' });
    const { status, statusReason } = await place.get(id);
    expect([status, statusReason?.code]).toEqual(['failed', 'launch-failed']);
    expect(statusReason?.message).toContain('JobDefinition is not ACTIVE');
  });
});
