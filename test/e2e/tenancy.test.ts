/** O3: another organisation's resources don't exist for its members, whichever way they ask. */
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { adminToken } from './admin.ts';
import { type Api, apiOf, type Json, settled, unique } from './client.ts';
import { type Foreign, inBodies, inPaths, inQueries, type Place, valid, withValue } from './foreign-ids.ts';

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
    expect(done).toMatchObject({ status: 'failed', failure: { code: 'base-image-unauthorized' } });
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
    expect(done).toMatchObject({ status: 'failed', statusReason: { code: 'image-not-found' } });
  });
});

const titleOf = ({ method, route, at }: Place) => `${method} ${route} ${at}`;

describe('O3 an id of another organisation', () => {
  let foreign: Foreign;
  let imageUri: string;
  let ownImage: string;
  let before: Json[];
  const acmes = async (): Promise<Json[]> => {
    const { img, bld, exp, reg, mem, tok, secret } = foreign;
    const paths = [
      `images/${img}`,
      `images/${img}/dockerfile`,
      `builds/${bld}`,
      `experiments/${exp}`,
      `registries/${reg}`,
      `members/${mem}`,
      `tokens/${tok}`,
      `secrets/${secret}`,
      'settings',
    ];
    return Promise.all(paths.map((path) => acme.read(`/v1/${path}`)));
  };
  const made = async (api: Api, path: string, body: Json): Promise<Json> => {
    const reply = await api.post(path, body);
    expect([201, 202], JSON.stringify(reply.body)).toContain(reply.status);
    return reply.body;
  };

  beforeAll(async () => {
    const image = await made(acme, '/v1/images', {
      source: { type: 'build', dockerfile: `FROM ${tinyBase}\n` },
      registryId: 'reg_private',
      repository: unique('ours'),
      tag: '1',
    });
    imageUri = image.uri;
    const bytes = Buffer.from('a context');
    const upload = await made(acme, '/v1/uploads', {
      kind: 'context',
      sizeBytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
    await fetch(upload.url, { method: 'PUT', headers: upload.headers, body: bytes });
    const secret = unique('ours');
    await acme.call('PUT', `/v1/secrets/${secret}`, { value: 'ours' });
    const registry = { title: unique('ours'), url: 'registry.acme.example', type: 'other' };
    foreign = {
      img: image.id,
      bld: image.currentBuild.id,
      exp: (await made(acme, '/v1/experiments?start=false', { image: imageUri, command: ['true'] })).id,
      reg: (await made(acme, '/v1/registries', registry)).id,
      mem: (await acme.read('/v1/members')).items[0].id,
      tok: (await made(acme, '/v1/tokens', { title: unique('ours') })).id,
      upl: upload.id,
      secret,
    };
    // The mail about it comes after its end, and is on its record too.
    await acme.until(`/v1/builds/${foreign.bld}/events?limit=100`, ({ complete }) => complete);
    const own = await made(globex, '/v1/images', {
      source: { type: 'build', dockerfile: 'FROM scratch\nLABEL a=b\n' },
      registryId: 'reg_private',
      repository: unique('theirs'),
      tag: '1',
    });
    ownImage = own.id;
    await globex.until(`/v1/builds/${own.currentBuild.id}`, settled);
    before = await acmes();
  });

  it.each(inPaths.map((place) => [titleOf(place), place] as const))('%s', async (_, place) => {
    const { method, route, at, kind, media, operationId } = place;
    const body = media === undefined ? undefined : (valid(at)[operationId] ?? {});
    const headers: Record<string, string> =
      operationId === 'putImageLogo' ? { 'content-type': 'image/svg+xml' } : {};
    const path = route.replace(`{${at}}`, foreign[kind]);
    const reply = await globex.call(method, path, body, headers);
    // A name is everybody's own: theirs is another secret.
    if (operationId === 'putSecret') expect(reply.status).toBe(201);
    // A page that opens with a key of its own: without it, everyone gets the same page.
    else if (operationId === 'getBuildPage') expect(reply.status).toBe(404);
    else expect([reply.status, reply.body.type]).toEqual([404, 'urn:slipway:problem:not-found']);
    if (operationId === 'putSecret') await globex.call('DELETE', path);
    if (operationId === 'deleteImage')
      expect((await globex.call(method, `${path}?purge=true`)).status).toBe(404);
    expect(await acmes()).toEqual(before);
  });

  it.each(inBodies.map((place) => [titleOf(place), place] as const))('%s', async (_, place) => {
    const { method, route, at, kind, operationId } = place;
    const template = valid(at)[operationId];
    if (!template) throw new Error(`say how ${operationId} is asked rightly`);
    const path = route.replace('{id}', ownImage);
    const reply = await globex.call(method, path, withValue(template, at, foreign[kind]));
    expect([404, 422], JSON.stringify(reply.body)).toContain(reply.status);
    if (reply.status === 422) expect(reply.body.errors?.map((one: Json) => one.pointer)).toContain(at);
    expect(await acmes()).toEqual(before);
  });

  it.each(inQueries.map((place) => [titleOf(place), place] as const))(
    '%s',
    async (_, { route, at, kind }) => {
      expect((await globex.read(`${route}?${at}=${foreign[kind]}`)).items).toEqual([]);
    },
  );

  it('names no image, nor does its URI', async () => {
    for (const [path, field, more] of [
      ['/v1/images/resolve', 'image', {}],
      ['/v1/images/inspect', 'url', {}],
    ] as const) {
      const reply = await globex.post(path, { [field]: imageUri, ...more });
      expect([reply.status, reply.body.errors?.[0]?.pointer], path).toEqual([422, `/${field}`]);
    }
    const added = await globex.post('/v1/images', { source: { type: 'reference', url: imageUri } });
    expect([added.status, added.body.errors?.[0]?.pointer]).toEqual([422, '/source/url']);
    const byId = await globex.post('/v1/images/resolve', { image: foreign.img });
    expect([byId.status, byId.body.type]).toEqual([404, 'urn:slipway:problem:image-not-found']);
    for (const image of [foreign.img, imageUri]) {
      const { id } = await made(globex, '/v1/experiments', { image, command: ['true'] });
      const done = await globex.until(`/v1/experiments/${id}`, settled);
      expect([done.status, done.statusReason.code]).toEqual(['failed', 'image-not-found']);
    }
    expect(await acmes()).toEqual(before);
  });
});
