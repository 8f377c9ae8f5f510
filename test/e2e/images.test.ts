/** The table of images through the API: references, sorting, filtering, searching, editing (I1–I5). */
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { apiOf, type Json, settled, unique } from './client.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const api = apiOf(cloud.apiUrl, cloud.token);
const group = unique('list');

/** Waits for indexes, which lag behind the table on purpose. */
const ids = async (query: string) =>
  (await api.read(`/v1/images?${query}`)).items.map((image: Json) => image.id);

describe('images', () => {
  const made: Json[] = [];

  beforeAll(async () => {
    for (const [repository, tag] of [
      ['b', '2'],
      ['a', '3'],
      ['c', '1'],
    ]) {
      const reply = await api.post('/v1/images', {
        source: { type: 'build', dockerfile: `FROM ${tinyBase}\n` },
        registryId: 'reg_private',
        repository: `${group}/${repository}`,
        tag: `${group}-${tag}`,
      });
      expect(reply.status, JSON.stringify(reply.body)).toBe(202);
      made.push(reply.body);
      await api.until(`/v1/builds/${reply.body.currentBuild.id}`, settled);
    }
  });

  const order: [string, number[]][] = [
    ['createdAt', [0, 1, 2]],
    ['-createdAt', [2, 1, 0]],
    ['repository', [1, 0, 2]],
    ['-repository', [2, 0, 1]],
    ['tag', [2, 0, 1]],
    ['-tag', [1, 0, 2]],
    ['status', [0, 1, 2]],
    ['author', [0, 1, 2]],
    ['registryId', [0, 1, 2]],
    ['-registryId', [2, 1, 0]],
  ];
  it.each(order)('I1 sorts by %s', async (sort, expected) => {
    const wanted = expected.map((i) => made[i]?.id);
    await expect.poll(() => ids(`q=${group}&sort=${sort}&limit=100`)).toEqual(wanted);
  });

  it('I1 filters by every column and pages with cursors', async () => {
    const [first, second] = made;
    await expect.poll(() => ids(`repository=${group}/b`)).toEqual([first.id]);
    await expect.poll(() => ids(`tag=${group}-3`)).toEqual([second.id]);
    const all = made.map((image) => image.id).reverse();
    for (const filter of ['status=ready', 'registryId=reg_private', 'author=ada@acme.example'])
      await expect.poll(() => ids(`${filter}&q=${group}`)).toEqual(all);
    const pages: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await api.read(`/v1/images?q=${group}&limit=1${cursor ? `&cursor=${cursor}` : ''}`);
      pages.push(...page.items.map((image: Json) => image.id));
      cursor = page.nextCursor;
      if (!cursor) break;
    }
    expect(pages).toEqual(all);
    expect((await api.get('/v1/images?sort=colour')).status).toBe(422);
    expect((await api.get('/v1/images?limit=101')).status).toBe(422);
    expect((await api.get('/v1/images?colour=red')).status).toBe(422);
  });

  it('I2 looks a reference up at once, and writes nothing when it is not there', async () => {
    // Another file may have added it before: one tag of one repository is one image.
    for (const { id } of (await api.read('/v1/images?name=tiny:1')).items)
      await api.call('DELETE', `/v1/images/${id}`);
    const added = await api.post('/v1/images', { source: { type: 'reference', url: tinyBase } });
    expect(added.status, JSON.stringify(added.body)).toBe(201);
    expect(added.body).toMatchObject({
      status: 'ready',
      source: 'reference',
      tag: '1',
      platforms: ['linux/amd64'],
    });
    expect(added.body.digest).toMatch(/^sha256:/);
    const before = await ids('limit=100');
    const missing = await api.post('/v1/images', {
      source: { type: 'reference' },
      registryId: 'reg_private',
      repository: 'tiny',
      tag: 'no-such-tag',
    });
    expect(missing.status).toBe(422);
    const unreachable = await api.post('/v1/images', {
      source: { type: 'reference', url: 'registry.invalid/a/b:1' },
    });
    expect([422, 502]).toContain(unreachable.status);
    expect(await ids('limit=100')).toEqual(before);
  });

  it('I3 I4 edits readme and logo under an ETag, deletes', async () => {
    const [image] = made;
    const path = `/v1/images/${image.id}`;
    const etag = (await api.get(path)).headers.get('etag') ?? '';
    const changed = await api.call(
      'PATCH',
      path,
      { readme: '# Hello', logo: 'python' },
      { 'if-match': etag },
    );
    expect(changed).toMatchObject({ status: 200, body: { readme: '# Hello', logo: 'python' } });
    expect((await api.call('PATCH', path, { readme: 'late' }, { 'if-match': etag })).status).toBe(412);
    expect((await api.call('DELETE', path, undefined, { 'if-match': etag })).status).toBe(412);
    expect((await api.read(path)).readme).toBe('# Hello');
    expect((await api.call('DELETE', path)).status).toBe(204);
    expect((await api.get(path)).status).toBe(404);
    // Its name is free again.
    const again = await api.post('/v1/images', {
      source: { type: 'build', dockerfile: `FROM ${tinyBase}\n` },
      registryId: 'reg_private',
      repository: image.repository,
      tag: image.tag,
    });
    expect(again.status).toBe(202);
    await api.until(`/v1/builds/${again.body.currentBuild.id}`, settled);
  });

  it('I5 finds an image by repository and tag', async () => {
    const [, image] = made;
    expect(await ids(`name=${image.repository}:${image.tag}`)).toEqual([image.id]);
  });

  it('I8 of a name that is none the tags are told that there are, and what was tried', async () => {
    const [, { repository, tag }] = made;
    const { status, body } = await api.post('/v1/images/resolve', { image: `${repository}:none` });
    // Whether this machine reaches Docker Hub or not, it was asked.
    expect(status, JSON.stringify(body)).toBe(422);
    expect(body.errors).toEqual([{ pointer: '/image', message: body.detail }]);
    expect(body.detail).toContain(
      `Your organisation has no image ${repository}:none (it has ${repository} with the tag ${tag}), so Slipway tried docker.io/${repository}:none: `,
    );
  });
});
