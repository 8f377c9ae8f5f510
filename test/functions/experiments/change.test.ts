/** What can be done to an experiment that is there. */
import { describe, expect, it } from 'vitest';
import { experimentsApi, one } from './api.ts';

const { place, tiny, ask, create, store } = experimentsApi();

describe('E1 changing and deleting', () => {
  it('changes name and tags, unless the ETag is stale', async () => {
    const { body, headers } = await store({ name: 'before', tags: ['a'] });
    const params = { id: body.id };
    const renamed = await ask('PATCH', one, {
      params,
      body: { name: 'after', tags: null },
      headers: { 'if-match': String(headers.etag) },
    });
    expect(renamed).toMatchObject({
      status: 200,
      body: { name: 'after', tags: ['a'] },
      headers: { etag: '"2"' },
    });
    const stale = await ask('PATCH', one, { params, body: { tags: [] }, headers: { 'if-match': '"1"' } });
    expect(stale.status).toBe(412);
    expect((await ask('PATCH', one, { params, body: { compute: 'cpu-large' } })).status).toBe(422);
    expect((await ask('DELETE', one, { params, headers: { 'if-match': '"1"' } })).status).toBe(412);
    expect((await ask('GET', one, { params })).body).toMatchObject({ name: 'after', tags: ['a'] });
  });

  it('deletes what does not run, with its timeline', async () => {
    const { body } = await create({ image: tiny(), command: ['sleep', '60'] });
    const params = { id: body.id };
    expect(await ask('DELETE', one, { params })).toMatchObject({ status: 409 });
    await ask('POST', `${one}/stop`, { params });
    await place().over(body.id);
    expect((await ask('DELETE', one, { params })).status).toBe(204);
    expect((await ask('GET', one, { params })).status).toBe(404);
    expect(await place().table.all('acme', 'events', body.id)).toEqual([]);
    expect((await ask('DELETE', one, { params })).status).toBe(404);
  });
});

describe('E1, E16 starting and stopping', () => {
  it('starts once, however often it is asked', async () => {
    const { body } = await store({ command: ['sh', '-c', 'sleep 1'] });
    const params = { id: body.id };
    const starts = await Promise.all([1, 2, 3].map(() => ask('POST', `${one}/start`, { params })));
    expect(starts.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect((await place().over(body.id)).attempts).toHaveLength(1);
    const codes = await place().codes(body.id);
    expect(codes.filter((code) => code === 'pending')).toHaveLength(1);
    expect(await ask('POST', `${one}/start`, { params })).toMatchObject({ status: 409 });
  });

  it('answers 200 where nothing has to be stopped', async () => {
    const { body } = await store({});
    const params = { id: body.id };
    for (let i = 0; i < 2; i++)
      expect(await ask('POST', `${one}/stop`, { params })).toMatchObject({
        status: 200,
        body: { status: 'stopped' },
      });
    expect((await ask('POST', `${one}/start`, { params })).status).toBe(409);
  });
});
