/** E16: experiments are stopped at every stage, and confirmed. */
import { availableParallelism } from 'node:os';
import { DescribeImagesCommand, ECRClient } from '@aws-sdk/client-ecr';
import { SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { run } from '../../scripts/command.ts';
import { awsConfiguration } from '../../scripts/local-cloud.ts';
import { createExecutions } from '../../shared/aws/executions.ts';
import { apiOf, type Json, settled, unique } from './client.ts';
import { containersOf, processesWith } from './engine-traces.ts';
import { holdableRegistry, imageToWaitFor, nothingHasFollowed, stopped, untilHeld } from './stopping.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const api = apiOf(cloud.apiUrl, cloud.token);
const ecr = new ECRClient(awsConfiguration(cloud));
const executions = createExecutions(
  `arn:aws:states:${cloud.region}:${cloud.accountId}:stateMachine:slipway-local-experiments`,
  new SFNClient(awsConfiguration(cloud)),
);
const { images, hold } = holdableRegistry();
afterAll(() => ecr.destroy());

interface Launched {
  id: string;
  path: string;
  /** Part of its command line. */
  marker: string;
}

const endless = 'trap "exit 143" TERM; sleep 3600 & wait';

async function launch(script = endless, more: object = {}): Promise<Launched> {
  const marker = unique('experiment');
  const reply = await api.post('/v1/experiments', {
    image: tinyBase,
    compute: 'cpu-small',
    retry: { attempts: 3, on: ['host-lost'] },
    command: ['/bin/sh', '-c', script, marker],
    ...more,
  });
  expect(reply.status, JSON.stringify(reply.body)).toBe(202);
  const { id } = reply.body;
  return { id, path: `/v1/experiments/${id}`, marker };
}

const isRunning = ({ status }: Json) => status === 'running';
const lastJob = ({ attempts }: Json): string => attempts.at(-1).jobId;
const codesOf = async (path: string): Promise<string[]> =>
  (await api.read(`${path}/events?limit=100`)).items.map(({ code }: Json) => code);
const hasCode = (path: string, code: string, times = 1) =>
  expect.poll(async () => (await codesOf(path)).filter((one) => one === code)).toHaveLength(times);

/** Nobody is left who could still begin anything. */
const launchOver = ({ id }: Launched) => expect.poll(() => executions.state(id)).toBe('ended');

async function nothingLeft({ marker }: Launched, experiment: Json): Promise<void> {
  for (const { jobId } of experiment.attempts) if (jobId) expect(await containersOf(jobId)).toEqual([]);
  expect(await processesWith(marker)).toEqual([]);
}

describe('E16 before there is a job', () => {
  it('while its image is looked up: no job follows', async () => {
    const repository = unique('pending');
    await imageToWaitFor(images(), repository);
    const source = await hold((line) => line.includes('/manifests/'));
    const one = await launch(undefined, { image: `${source.host}/${repository}:1` });
    await untilHeld(source);
    const { done } = await stopped(api, one.path);
    expect(done).toMatchObject({ attempts: [], statusReason: { code: 'stopped-by-user' } });
    source.letGo();
    await launchOver(one);
    expect(await api.read(one.path)).toEqual(done);
    await nothingLeft(one, done);
  });

  it('while its image is copied: the copy never becomes an image, and no job follows', async () => {
    const repository = unique('copied');
    const layer = await imageToWaitFor(images(), repository, { Entrypoint: ['/bin/false'] });
    const source = await hold((line) => line.includes(layer));
    const one = await launch(undefined, { image: `${source.host}/${repository}:1` });
    await untilHeld(source);
    await hasCode(one.path, 'image-copying');
    const { done } = await stopped(api, one.path);
    expect(done.attempts).toEqual([]);
    // The layer that was on its way arrives after the stop is confirmed.
    source.letGo();
    await launchOver(one);
    const { imageDetails } = await ecr.send(
      new DescribeImagesCommand({
        repositoryName: `acme/copies/${source.host.replace(':', '-')}/${repository}`,
      }),
    );
    expect(imageDetails).toEqual([]);
    expect(await api.read(one.path)).toEqual(done);
    await nothingLeft(one, done);
  });
});

describe('E16 with a job', () => {
  it('while the host pulls its image: no container follows', async () => {
    const repository = unique('pulled');
    const layer = await imageToWaitFor(images(), repository);
    const source = await hold((line) => line.includes(layer));
    const one = await launch(undefined, { image: `${source.host}/${repository}:1` });
    await untilHeld(source);
    await api.until(one.path, ({ status }) => status === 'provisioning');
    const { done, codes } = await stopped(api, one.path);
    expect(codes).not.toContain('running');
    source.letGo();
    await launchOver(one);
    await nothingLeft(one, done);
  });

  it('while it runs: TERM for who listens, KILL for who does not; a good end is none', async () => {
    const heeding = await launch('trap "echo goodbye; exit 0" TERM; echo ready; sleep 3600 & wait');
    const stubborn = await launch('trap "echo ignored" TERM; echo ready; while :; do sleep 1; done');
    const ready = async ({ path }: Launched) =>
      (await api.read(`${path}/logs?limit=100`)).items.some(({ text }: Json) => text === 'ready');
    for (const one of [heeding, stubborn]) await expect.poll(() => ready(one)).toBe(true);
    for (const { marker } of [heeding, stubborn]) expect(await processesWith(marker)).not.toEqual([]);
    const [first, second] = await Promise.all([stopped(api, heeding.path), stopped(api, stubborn.path)]);
    expect(first.done).toMatchObject({ exitCode: 0, statusReason: { code: 'stopped-by-user' } });
    expect(second.done).toMatchObject({ exitCode: 137, attempts: [{ exitCode: 137 }] });
    const said = async ({ path }: Launched) => (await api.log(path)).map(({ text }: Json) => text);
    expect(await said(heeding)).toContain('goodbye');
    expect(await said(stubborn)).toContain('ignored');
    await nothingLeft(heeding, first.done);
    await nothingLeft(stubborn, second.done);
  });
});

describe('E16 while the compute is full', () => {
  const holders: Launched[] = [];
  beforeAll(async () => {
    for (let i = 0; i < availableParallelism(); i++) holders.push(await launch());
    for (const { path } of holders) await api.until(path, isRunning);
  });
  afterAll(async () => {
    for (const { path } of holders) await api.post(`${path}/stop`);
    for (const { path } of holders) await api.until(path, settled);
  });

  it('RUNNABLE: it never runs, and the next one gets the place that becomes free', async () => {
    const one = await launch();
    await hasCode(one.path, 'queued');
    const next = await launch();
    await hasCode(next.path, 'queued');
    const { done, codes } = await stopped(api, one.path);
    expect(done.attempts).toMatchObject([{ number: 1, jobId: expect.any(String) }]);
    expect(done.startedAt).toBeUndefined();
    expect(codes).not.toContain('provisioning');
    const holder = holders.shift();
    if (!holder) throw new Error('nobody holds a place');
    holders.push(next);
    const held = await stopped(api, holder.path);
    await nothingLeft(holder, held.done);
    await api.until(next.path, isRunning);
    await nothingLeft(one, done);
  });

  it('between two attempts: the next one never runs', async () => {
    const one = holders.shift();
    if (!one) throw new Error('nobody holds a place');
    const before = await api.until(one.path, isRunning);
    const next = await launch();
    await hasCode(next.path, 'queued');
    holders.push(next);
    // Its host is lost, as it were; the place is the other one's, who has waited for it.
    await run('docker', ['rm', '-f', ...(await containersOf(lastJob(before)))]);
    await hasCode(one.path, 'retrying');
    await hasCode(one.path, 'queued', 2);
    const { done, codes } = await stopped(api, one.path);
    expect(done.attempts).toMatchObject([
      { number: 1, reason: { code: 'host-lost' } },
      { number: 2, reason: expect.anything() },
    ]);
    expect(codes.filter((code) => code === 'running')).toHaveLength(1);
    await launchOver(one);
    await nothingLeft(one, done);
  });

  it('at the moment in which its host is lost: no attempt follows', async () => {
    const [one] = holders;
    if (!one) throw new Error('nothing runs');
    const [container = ''] = await containersOf(lastJob(await api.until(one.path, isRunning)));
    const [{ done }] = await Promise.all([stopped(api, one.path), run('docker', ['rm', '-f', container])]);
    await launchOver(one);
    expect((await api.read(one.path)).status).toBe('stopped');
    await nothingLeft(one, done);
  });
});

it('E16 whatever was stopped stays so, and nobody gets a mail', () => nothingHasFollowed(api));
