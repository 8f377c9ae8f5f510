/**
 * B7: builds are stopped at every stage, and confirmed. While a step runs is in builds.test.ts as well, mirrors are in
 * mirrors-meanwhile.test.ts and validations in validations.test.ts.
 */
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { apiOf, type Json, settled, unique } from './client.ts';
import { connect } from './connected.ts';
import { processesWith } from './engine-traces.ts';
import type { HeldRegistry } from './held-registry.ts';
import {
  holdableRegistry,
  imageToWaitFor,
  nothingHasFollowed,
  stopped,
  untilGivenUp,
  untilHeld,
} from './stopping.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const api = apiOf(cloud.apiUrl, cloud.token);

/** Has two places. */
const compute = 'build-large';
const { images, hold } = holdableRegistry();

interface Build {
  id: string;
  path: string;
  imagePath: string;
  repository: string;
}

async function build(dockerfile: string, target: object = {}, computes = [compute]): Promise<Build> {
  const reply = await api.post('/v1/images', {
    source: { type: 'build', dockerfile, computes },
    registryId: 'reg_private',
    repository: unique('stops'),
    tag: '1',
    ...target,
  });
  expect(reply.status, JSON.stringify(reply.body)).toBe(202);
  const { id, repository, currentBuild } = reply.body;
  return {
    id: currentBuild.id,
    path: `/v1/builds/${currentBuild.id}`,
    imagePath: `/v1/images/${id}`,
    repository,
  };
}

/** A build whose step runs until it is stopped. */
async function endless(): Promise<Build & { marker: string }> {
  const marker = unique('endless');
  return { marker, ...(await build(`FROM ${tinyBase}\nRUN sh -c 'sleep 3600; true' ${marker}\n`)) };
}

const notPushed = async ({ imagePath }: Build) => {
  const image = await api.read(imagePath);
  expect(image).toMatchObject({ status: 'failed', currentBuild: { status: 'stopped' } });
  expect(image.digest).toBeUndefined();
};

const isBuilding = ({ status }: Json) => status === 'building';

describe('B7 while all places of its compute are taken', () => {
  const holders: (Build & { marker: string })[] = [];
  beforeAll(async () => {
    holders.push(await endless(), await endless());
    for (const { path, marker } of holders) {
      await api.until(path, isBuilding);
      await vi.waitFor(async () => expect(await processesWith(marker)).not.toEqual([]), { timeout: 300_000 });
    }
  });
  // Where a test has failed they would hold their places for an hour.
  afterAll(async () => {
    for (const { path } of holders) await api.post(`${path}/stop`);
    for (const { path } of holders) await api.until(path, settled);
  });

  it('a build that waits for a place: it never gets one', async () => {
    const one = await build(`FROM ${tinyBase}\nRUN : ${unique('waits')}\n`);
    expect(await api.read(one.path)).toMatchObject({ status: 'queued', phase: 'waiting' });
    const { done, codes } = await stopped(api, one.path);
    expect(done.startedAt).toBeUndefined();
    expect(codes).not.toContain('submitted');
    await notPushed(one);
  });

  it('a build that CodeBuild has in its queue: it never begins', async () => {
    // With as many processors as places, or fewer, no machine is left for it; with more it may begin.
    const one = await build(`FROM ${tinyBase}\nRUN : ${unique('queued')} && sleep 3600\n`, {}, [
      'build-small',
    ]);
    const { codes } = await stopped(api, one.path);
    expect(codes).not.toContain('pushing');
    await notPushed(one);
  });

  it('a build that is attached to an identical one: that one goes on', async () => {
    const dockerfile = `FROM ${tinyBase}\nRUN : ${unique('identical')}\n`;
    const first = await build(dockerfile);
    const { repository } = first;
    const second = await build(dockerfile, { repository, tag: '2' });
    const third = await build(dockerfile, { repository, tag: '3' });
    for (const { path } of [second, third])
      expect(await api.read(path)).toMatchObject({ status: 'queued', attachedTo: first.id });
    const { codes } = await stopped(api, second.path);
    expect(codes).not.toContain('submitted');
    expect((await api.read(first.path)).status).toBe('queued');

    // The one that does the work is stopped as well: the last one wasn't asked to, so it builds itself.
    await stopped(api, first.path);
    const detached = await api.until(third.path, ({ attachedTo }) => attachedTo === undefined);
    expect(detached).toMatchObject({ status: 'queued', phase: 'waiting' });

    // A build that runs: no process of its step is left, and its place is the next one's.
    const [holder] = holders;
    if (!holder) throw new Error('nobody holds a place');
    const running = await stopped(api, holder.path);
    expect(running.codes).toContain('building');
    // It obeys: nobody waits half a minute for an engine that is told to end.
    expect(running.seconds).toBeLessThan(25);
    expect(await processesWith(holder.marker)).toEqual([]);
    await notPushed(holder);
    expect(await api.until(third.path, settled)).toMatchObject({ status: 'succeeded', cached: false });
    const { digest } = await api.read(third.imagePath);
    expect(digest).toMatch(/^sha256:/);
    for (const one of [first, second]) await notPushed(one);
  });
});

describe('B7 at work', () => {
  it('a build that is being prepared: it asks for nothing any more', async () => {
    const repository = unique('base');
    await imageToWaitFor(images(), repository);
    // The request looks the tag up; by its digest the builder asks.
    const source = await hold((line) => line.includes('/manifests/sha256:'));
    const one = await build(`FROM ${source.host}/${repository}:1\nRUN true\n`);
    await untilHeld(source);
    const { codes } = await stopped(api, one.path);
    expect(codes).not.toContain('building');
    await untilGivenUp(source);
    await notPushed(one);
  });

  it('a build that pulls its base: the engine gives up', async () => {
    const repository = unique('base');
    const layer = await imageToWaitFor(images(), repository);
    const source = await hold((line) => line.includes(layer));
    const one = await build(`FROM ${source.host}/${repository}:1\nRUN true\n`);
    await untilHeld(source);
    await api.until(one.path, isBuilding);
    await stopped(api, one.path);
    await untilGivenUp(source);
    await notPushed(one);
  });

  let target: HeldRegistry;
  let pushed: { repository: string; before: string };
  const tagHasNotMoved = async () => {
    expect((await images().read(pushed.repository, '1'))?.digest).toBe(pushed.before);
    expect(target.passed().filter((line) => /^PUT .*\/manifests\//.test(line))).toEqual([]);
  };

  it('a build that pushes: the tag does not move', async () => {
    target = await hold((line) => /^(PATCH|PUT) .*\/blobs\/uploads\//.test(line));
    const registryId = await connect(target.host);
    const repository = unique('stops');
    pushed = { repository, before: (await images().image(repository, '1', unique('before'))).digest };
    const one = await build(`FROM ${tinyBase}\nRUN echo ${unique('pushed')} > /text\n`, {
      registryId,
      repository,
    });
    await untilHeld(target);
    await api.until(one.path, ({ status }) => status === 'pushing');
    await stopped(api, one.path);
    await notPushed(one);
    await tagHasNotMoved();
    // An engine may wait for the answer to what it sends, though nobody waits for the engine any more.
    target.letGo();
  });

  it('whatever was stopped: every place is free again, and nothing has come after it', async () => {
    const next = [await endless(), await endless()];
    for (const { path } of next) expect((await api.read(path)).phase).not.toBe('waiting');
    for (const { path } of next) await stopped(api, path);
    for (const { marker } of next) expect(await processesWith(marker)).toEqual([]);
    await nothingHasFollowed(api);
    await tagHasNotMoved();
  });
});
