import { describe, expect, it } from 'vitest';
import { createExperiment } from '../../../shared/experiment/create.ts';
import { newExperimentSchema } from '../../../shared/model/experiment.ts';
import { newId } from '../../../shared/model/id.ts';
import { later, placeForEach } from './opened.ts';
import { organisation } from './place.ts';

const open = placeForEach();

describe('E1 the reconciler', () => {
  it('starts what was recorded and never started', async () => {
    const { place, tiny } = await open();
    const record = await createExperiment(
      {
        table: place.table,
        stage: place.stage,
        executions: { ...place.executions, start: () => Promise.reject(new Error('no answer')) },
        log: place.log,
      },
      {
        organisation,
        author: 'ada@acme.example',
        id: newId('experiment', Date.now()),
        now: new Date(),
        start: true,
        asked: newExperimentSchema.parse({ image: tiny, command: ['true'] }),
      },
    );
    expect(record.status).toBe('pending');
    await place.reconcile()(organisation, record.id);
    expect(await place.over(record.id)).toMatchObject({ status: 'succeeded' });
  });

  it('finishes what neither events nor execution finished', async () => {
    const { place, tiny } = await open({ deliver: () => [], failing: (action) => action === 'settle' });
    const { id } = await place.create({
      image: tiny,
      command: ['sh', '-c', 'exit 5'],
      retry: { attempts: 3, on: ['error'] },
    });
    await expect.poll(() => place.executions.state(id)).toBe('ended');
    expect((await place.get(id)).status).toBe('pending');
    await place.reconcile()(organisation, id);
    // The job is found by its name, and seen to be over; then nobody is left who could make another attempt.
    await place.reconcile(later(200))(organisation, id);
    expect(await place.get(id)).toMatchObject({
      status: 'failed',
      exitCode: 5,
      statusReason: { code: 'exit-code' },
    });
  });

  it('ends what could not even be prepared', async () => {
    const { place, tiny } = await open({ failing: () => true });
    const { id } = await place.create({ image: tiny, command: ['true'] });
    await expect.poll(() => place.executions.state(id)).toBe('ended');
    await place.reconcile()(organisation, id);
    expect((await place.get(id)).status).toBe('pending');
    await place.reconcile(later(200))(organisation, id);
    expect(await place.get(id)).toMatchObject({ status: 'failed', statusReason: { code: 'launch-failed' } });
  });

  it('E15 lets a job wait behind the jobs of its own organisation, and says so', async () => {
    const { place, tiny } = await open({ queueTimeoutSeconds: 60 });
    const busy = await place.occupied(tiny);
    const { id } = await place.create({ image: tiny, command: ['true'], compute: 'cpu-large' });
    await place.until(id, ({ attempts }) => attempts[0]?.stage === 'queued');
    const message = 'Waiting for a free cpu-large host: 1 job of your organisation is running.';
    for (const seconds of [0, 70, 86_400, 864_000]) {
      await place.reconcile(later(seconds))(organisation, id);
      expect(await place.get(id)).toMatchObject({
        status: 'pending',
        statusReason: { code: 'waiting', message },
        attempts: [{ stage: 'queued' }],
      });
    }
    expect((await place.codes(id)).filter((code) => code === 'waiting')).toHaveLength(1);
    await place.stop(busy);
    const over = await place.over(id);
    expect(over.status).toBe('succeeded');
    expect(over.statusReason).toBeUndefined();
  });

  it('E15 ends the wait for a host, queue after queue', async () => {
    const { place, tiny } = await open({ queueTimeoutSeconds: 60 });
    const busy = await place.occupied(tiny);
    const { id } = await place.create({ image: tiny, command: ['true'], compute: 'spot-first' });
    await place.until(id, ({ attempts }) => attempts[0]?.stage === 'queued');
    await place.reconcile()(organisation, id);
    expect((await place.get(id)).attempts).toHaveLength(1);
    await place.reconcile(later(70))(organisation, id);
    await place.until(id, ({ attempts }) => attempts[1]?.stage === 'queued');
    await place.reconcile(later(70))(organisation, id);
    const over = await place.over(id);
    expect(over).toMatchObject({ status: 'failed', statusReason: { code: 'queue-timeout' } });
    expect(over.attempts.map(({ queue, reason }) => [queue, reason?.code])).toEqual([
      ['gpu', 'queue-timeout'],
      ['gpu-on-demand', 'queue-timeout'],
    ]);
    await place.stop(busy);
    await place.over(busy);
  });

  it('gives up a job that Batch has forgotten', async () => {
    const { place, tiny } = await open();
    const { id } = await place.create({ image: tiny, command: ['true'] }, false);
    const record = await place.get(id);
    const attempt = { number: 1, queue: 'cpu', stage: 'running', jobId: 'gone', createdAt: record.createdAt };
    await place.table.put(organisation, 'experiments', id, {
      ...record,
      status: 'running',
      attempts: [attempt],
      openKey: 'acme#open',
      dueAt: record.createdAt,
    });
    expect(await place.table.due(organisation, new Date().toISOString(), 10)).toHaveLength(1);
    await place.reconcile()(organisation, id);
    expect(await place.get(id)).toMatchObject({ status: 'failed', statusReason: { code: 'job-lost' } });
    expect(await place.table.due(organisation, later(9999).toISOString(), 10)).toEqual([]);
  });

  it('E14 keeps the log to its end, and then has nothing more to do', async () => {
    const { place, tiny } = await open();
    const { id } = await place.create({ image: tiny, command: ['sh', '-c', 'echo one; printf two'] });
    const { version } = await place.over(id);
    const due = async () => (await place.table.due(organisation, later(60).toISOString(), 10)).length;
    expect(await due()).toBe(1);
    // Lines may still come, for an hour.
    await place.reconcile(new Date(), place.logsOf(3600))(organisation, id);
    expect(await due()).toBe(1);
    await expect.poll(() => place.reconcile()(organisation, id).then(due), { interval: 500 }).toBe(0);
    expect((await place.logs.last(organisation, id, 10)).map(({ text }) => text)).toEqual(['one', 'two']);
    expect((await place.get(id)).version).toBe(version);
  });

  it('leaves what runs alone, and its ETag too', async () => {
    const { place, tiny } = await open();
    const { id } = await place.create({ image: tiny, command: ['sleep', '60'] });
    const running = await place.until(id, ({ status }) => status === 'running');
    await place.reconcile(later(30))(organisation, id);
    const { dueAt, ...rest } = await place.get(id);
    expect(rest).toEqual({ ...running, dueAt: undefined });
    expect(dueAt && running.dueAt && dueAt > running.dueAt).toBe(true);
    await place.stop(id);
    await place.over(id);
  });
});
