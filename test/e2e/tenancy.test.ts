/** O3: another organisation's resources don't exist for its members, whichever way they ask. */
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { adminToken } from './admin.ts';
import { type Api, apiOf, settled, unique } from './client.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const acme = apiOf(cloud.apiUrl, cloud.token);
let globex: Api;

beforeAll(async () => {
  globex = apiOf(cloud.apiUrl, await adminToken(cloud, 'globex'));
});

describe('two organisations', () => {
  it('O3 see only their own', async () => {
    const made = await acme.post('/v1/images', {
      source: { type: 'build', dockerfile: `FROM ${tinyBase}\n` },
      registryId: 'reg_private',
      repository: unique('mine'),
      tag: '1',
    });
    const image = made.body;
    await acme.until(`/v1/builds/${image.currentBuild.id}`, settled);
    const registry = await acme.post('/v1/registries', {
      title: 'Ours',
      url: 'registry.acme.example',
      type: 'other',
    });
    const experiment = await acme.post('/v1/experiments?start=false', {
      image: tinyBase,
      compute: 'cpu-small',
      command: ['true'],
    });
    for (const path of [
      `/v1/images/${image.id}`,
      `/v1/builds/${image.currentBuild.id}`,
      `/v1/builds/${image.currentBuild.id}/logs`,
      `/v1/builds/${image.currentBuild.id}/events`,
      `/v1/registries/${registry.body.id}`,
      `/v1/experiments/${experiment.body.id}`,
    ]) {
      expect((await acme.get(path)).status, path).toBe(200);
      expect((await globex.get(path)).status, path).toBe(404);
    }
    for (const list of ['/v1/images', '/v1/builds', '/v1/experiments'])
      expect((await globex.read(list)).items, list).toEqual([]);
    expect((await globex.call('DELETE', `/v1/images/${image.id}`)).status).toBe(404);
    expect((await globex.post(`/v1/experiments/${experiment.body.id}/start`)).status).toBe(404);
    expect((await globex.read('/v1/me')).organisation.id).toBe('globex');
  });

  it('O3 a cursor of another organisation is refused', async () => {
    for (let i = 0; i < 2; i++)
      await acme.post('/v1/experiments?start=false', {
        image: tinyBase,
        compute: 'cpu-small',
        command: ['true'],
      });
    const { nextCursor } = await acme.read('/v1/experiments?limit=1');
    expect(nextCursor).toBeTypeOf('string');
    expect((await acme.get(`/v1/experiments?limit=1&cursor=${nextCursor}`)).status).toBe(200);
    expect((await acme.get(`/v1/experiments?limit=1&sort=status&cursor=${nextCursor}`)).status).toBe(422);
    expect((await globex.get(`/v1/experiments?limit=1&cursor=${nextCursor}`)).status).toBe(422);
  });

  it('a build cannot read the base images of another organisation', async () => {
    const made = await globex.post('/v1/images', {
      source: { type: 'build', dockerfile: `FROM ${tinyBase}\n` },
      registryId: 'reg_private',
      repository: unique('theirs'),
      tag: '1',
    });
    const done = await globex.until(`/v1/builds/${made.body.currentBuild.id}`, settled);
    expect(done.status).toBe('failed');
    expect(done.failure.code).toMatch(/^base-image-/);
  });

  it('nor by a digest that the engine already has', async () => {
    // Of a base of acme's own that this engine has built on, so that its store holds every byte of it.
    const secret = unique('secret');
    const made = await acme.post('/v1/images', {
      source: { type: 'build', dockerfile: `FROM ${tinyBase}\nRUN echo ${secret} > /secret\n` },
      registryId: 'reg_private',
      repository: unique('base'),
      tag: '1',
    });
    const base = await acme.until(`/v1/builds/${made.body.currentBuild.id}`, settled);
    const pinned = `${base.uri}@${base.digest}`;
    const build = async (api: Api, dockerfile: string) => {
      const reply = await api.post('/v1/images', {
        source: { type: 'build', dockerfile },
        registryId: 'reg_private',
        repository: unique('on-digest'),
        tag: '1',
      });
      expect(reply.status, JSON.stringify(reply.body)).toBe(202);
      return api.until(`/v1/builds/${reply.body.currentBuild.id}`, settled);
    };
    const dockerfile = `FROM ${pinned}\nRUN cat /secret\n`;
    expect(await build(acme, dockerfile)).toMatchObject({ status: 'succeeded' });
    for (const theirs of [dockerfile, `FROM ${tinyBase}\nCOPY --from=${pinned} /secret /secret\n`]) {
      const done = await build(globex, theirs);
      expect(done).toMatchObject({ status: 'failed', failure: { code: 'base-image-unauthorized' } });
    }
    // A digest of somebody else's under a name of one's own.
    const own = pinned.replace('/acme/', '/globex/');
    expect(await build(globex, `FROM ${own}\nRUN cat /secret\n`)).toMatchObject({ status: 'failed' });
  });

  it('an experiment cannot run the images of another organisation', async () => {
    const made = await globex.post('/v1/experiments', {
      image: tinyBase,
      compute: 'cpu-small',
      command: ['true'],
    });
    const done = await globex.until(`/v1/experiments/${made.body.id}`, settled);
    expect(done.status).toBe('failed');
    expect(done.statusReason.code).toMatch(/^image-/);
  });
});
