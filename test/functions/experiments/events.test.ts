import { describe, expect, it } from 'vitest';
import type { JobReport } from '../../../shared/aws/jobs.ts';
import { placeForEach } from './opened.ts';
import { organisation } from './place.ts';

const open = placeForEach();

describe('E1 events', () => {
  it('twice, in the wrong order and after the end lead to the same final state', async () => {
    const held: JobReport[] = [];
    const { place, tiny } = await open({
      deliver(report) {
        held.push(report);
        const isOver = report.status === 'FAILED' || report.status === 'SUCCEEDED';
        return isOver ? [...held.splice(0).reverse(), report, { ...report, status: 'RUNNING' }] : [];
      },
    });
    const { id } = await place.create({ image: tiny, command: ['sh', '-c', 'exit 4'] });
    const over = await place.over(id);
    expect(over).toMatchObject({
      status: 'failed',
      exitCode: 4,
      attempts: [{ stage: 'ended', exitCode: 4 }],
    });
    await place.takeIn({ ...held[0], jobName: `${id}-1`, status: 'RUNNABLE' } as JobReport);
    expect(await place.get(id)).toEqual(over);
    expect(place.problems).toEqual([]);
  });

  it('that never come are not needed: the execution hears of the end', async () => {
    const { place, tiny } = await open({ deliver: () => [] });
    const { id } = await place.create({ image: tiny, command: ['true'] });
    expect(await place.over(id)).toMatchObject({ status: 'succeeded', startedAt: expect.any(String) });
    expect(await place.codes(id)).toContain('running');
  });

  it('of jobs that are not ours are passed over', async () => {
    const { place } = await open();
    await place.takeIn({ jobId: 'x', jobName: 'nightly', jobQueue: 'arn:x/other', status: 'RUNNING' });
    await place.takeIn({
      jobId: 'x',
      jobName: 'exp_0-1',
      jobQueue: 'arn:x/slipway-local-acme-cpu',
      status: 'FAILED',
    });
    expect(place.problems).toEqual(['job of an unknown experiment']);
  });
});

describe('E1 a deleted experiment', () => {
  it('leaves no job running', async () => {
    const { place, tiny } = await open({ deliver: () => [] });
    const { id } = await place.create({ image: tiny, command: ['sleep', '300'] });
    const queue = 'slipway-local-acme-cpu';
    const live = () => place.jobs.findByName(queue, `${id}-1`);
    await expect.poll(async () => (await live())?.status).toBe('RUNNING');
    const job = await live();
    if (!job) throw new Error('no job');
    await place.table.remove(organisation, 'experiments', id);
    const report = { jobId: job.id, jobName: job.name, status: 'RUNNING' } as const;
    await place.takeIn({ ...report, jobQueue: 'arn:x/somebody-elses' });
    expect((await live())?.status).toBe('RUNNING');
    await place.takeIn({ ...report, jobQueue: `arn:x/${queue}` });
    await expect.poll(live).toMatchObject({ status: 'FAILED', statusReason: 'Its experiment is gone' });
  });
});
