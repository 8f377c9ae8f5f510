/** What is lost, comes late, or dies in between. */
import { once } from 'node:events';
import { createServer, request as requestHttp } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BatchClient, SubmitJobCommand } from '@aws-sdk/client-batch';
import { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
import { afterEach, describe, expect, it } from 'vitest';
import { settle } from '../../../functions/launcher/settle.ts';
import type { JobReport } from '../../../shared/aws/jobs.ts';
import { createExperiment } from '../../../shared/experiment/create.ts';
import { isOver } from '../../../shared/experiment/record.ts';
import { newExperimentSchema } from '../../../shared/model/experiment.ts';
import { newId } from '../../../shared/model/id.ts';
import { experimentsPlace, organisation, type Place, type PlaceOptions } from './place.ts';

let place: Place;
let tiny: string;
async function open(options: PlaceOptions = {}) {
  place = await experimentsPlace(options);
  tiny = await place.publish('tiny');
}
afterEach(() => place.close());

const later = (seconds: number) => new Date(Date.now() + seconds * 1000);

describe('E1 events', () => {
  it('twice, in the wrong order and after the end lead to the same final state', async () => {
    const held: JobReport[] = [];
    await open({
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
    await open({ deliver: () => [] });
    const { id } = await place.create({ image: tiny, command: ['true'] });
    expect(await place.over(id)).toMatchObject({ status: 'succeeded', startedAt: expect.any(String) });
    expect(await place.codes(id)).toContain('running');
  });

  it('of jobs that are not ours are passed over', async () => {
    await open();
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
    await open({ deliver: () => [] });
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

describe('E1 the reconciler', () => {
  it('starts what was recorded and never started', async () => {
    await open();
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
    await open({ deliver: () => [], failing: (action) => action === 'settle' });
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
    await open({ failing: () => true });
    const { id } = await place.create({ image: tiny, command: ['true'] });
    await expect.poll(() => place.executions.state(id)).toBe('ended');
    await place.reconcile()(organisation, id);
    expect((await place.get(id)).status).toBe('pending');
    await place.reconcile(later(200))(organisation, id);
    expect(await place.get(id)).toMatchObject({ status: 'failed', statusReason: { code: 'launch-failed' } });
  });

  it('E15 ends the wait for a host, queue after queue', async () => {
    await open({ queueTimeoutSeconds: 60 });
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
    await open();
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
    await open();
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
    await open();
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

describe('E2 the launcher', () => {
  it('asked twice answers the same, and a job that was submitted twice runs once', async () => {
    await open();
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
    await open({ deliver: () => [], failing: (action) => action === 'settle' });
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
    await open();
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

describe('E1 a registry', () => {
  /** Answers `failures` requests like this and passes the others on to the deployment's own. */
  const flaky = async (failures: number, status = 503, said: Record<string, string> = {}) => {
    let left = failures;
    const { authorizationData } = await new ECRClient(place.cloud.client()).send(
      new GetAuthorizationTokenCommand({}),
    );
    const authorization = `Basic ${authorizationData?.[0]?.authorizationToken}`;
    const server = createServer((request, response) => {
      if (left-- > 0) return response.writeHead(status, said).end();
      const { method, url = '' } = request;
      const headers = { ...request.headers, authorization };
      const onward = requestHttp(new URL(url, `http://${place.cloud.registryHost}`), { method, headers });
      onward.once('response', (answer) =>
        answer.pipe(response.writeHead(answer.statusCode ?? 500, answer.headers)),
      );
      onward.end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    return {
      image: tiny.replace(place.cloud.registryHost, host),
      close: () => server.close().closeAllConnections(),
    };
  };

  it('that hiccups is asked again', async () => {
    await open();
    const { image, close } = await flaky(1);
    const { id } = await place.create({ image, command: ['true'] });
    const { attempts, statusReason } = await place.until(id, (one) => isOver(one) || one.attempts.length > 0);
    expect([statusReason, attempts]).toEqual([undefined, [expect.objectContaining({ number: 1 })]]);
    await place.stop(id);
    await place.over(id);
    close();
  });

  it('R9 that takes no more requests for now ends the experiment, with the time to wait, and is not asked again', async () => {
    await open();
    // Asked a second time, it would answer.
    const { image, close } = await flaky(1, 429, { 'retry-after': '600' });
    const { id } = await place.create({ image, command: ['true'] });
    expect(await place.over(id)).toMatchObject({
      status: 'failed',
      attempts: [],
      statusReason: {
        code: 'registry-rate-limited',
        message: expect.stringMatching(
          /^127\.0\.0\.1:\d+ takes no more requests for now: it asks to wait 600 s/,
        ),
      },
    });
    expect(await place.executions.state(id)).toBe('ended');
    close();
  });

  it('that stays away ends the experiment, by its name', async () => {
    await open();
    const { image, close } = await flaky(1000);
    const { id } = await place.create({ image, command: ['true'] });
    expect(await place.over(id)).toMatchObject({
      status: 'failed',
      attempts: [],
      statusReason: {
        code: 'registry-unavailable',
        message: expect.stringMatching(/^127\.0\.0\.1:\d+ answered 503/),
      },
    });
    expect(await place.executions.state(id)).toBe('ended');
    close();
  });
});
