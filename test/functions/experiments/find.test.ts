import { describe, expect, it } from 'vitest';
import { ada } from '../event.ts';
import { join } from '../joined.ts';
import { all, experimentsApi, one } from './api.ts';

const { ask, place, store } = experimentsApi();

describe('E1 finding', () => {
  const ids = async (query: Record<string, string>) => {
    const { status, body } = await ask('GET', all, { query });
    expect(status, JSON.stringify(body)).toBe(200);
    return body.items.map((item: { name: string }) => item.name);
  };

  it('by tag, status, project, author and a part of the name, in each order', async () => {
    const project = 'finding';
    await store({ name: 'one', tags: ['x', 'y'], project });
    await store({ name: 'two', tags: ['y'], project });
    const { body } = await store({ name: 'Three', tags: ['x'], project });
    await ask('POST', `${one}/stop`, { params: { id: body.id } });
    expect(await ids({ project })).toEqual(['Three', 'two', 'one']);
    expect(await ids({ project, sort: 'createdAt' })).toEqual(['one', 'two', 'Three']);
    expect(await ids({ project, tag: 'x' })).toEqual(['Three', 'one']);
    expect(await ids({ project, status: 'stopped' })).toEqual(['Three']);
    expect(await ids({ project, author: 'ada@acme.example', status: 'created', sort: 'createdAt' })).toEqual([
      'one',
      'two',
    ]);
    expect(await ids({ project, author: 'grace@globex.example' })).toEqual([]);
    expect(await ids({ project, q: 'thr' })).toEqual(['Three']);
    for (const sort of ['status', '-status', 'author', 'project', '-project'])
      expect(await ids({ sort, limit: '100' })).toContain('one');
  });

  it('in pages that leave nothing out', async () => {
    const project = 'pages';
    for (let i = 0; i < 5; i++) await store({ name: `page ${i}`, project });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const { body } = await ask('GET', all, {
        query: { project, limit: '2', ...(cursor ? { cursor } : {}) },
      });
      seen.push(...body.items.map((item: { name: string }) => item.name));
      cursor = body.nextCursor;
    } while (cursor);
    expect(seen).toEqual(['page 4', 'page 3', 'page 2', 'page 1', 'page 0']);
  });

  it('by tag in pages, after tags have changed too', async () => {
    const made: string[] = [];
    for (let i = 0; i < 5; i++)
      made.push((await store({ name: `tagged ${i}`, tags: ['t', `t${i}`] })).body.id);
    const [zero = '', one_ = '', two = ''] = made;
    await ask('PATCH', one, { params: { id: one_ }, body: { tags: ['t1'] } });
    await ask('PATCH', one, { params: { id: two }, body: { tags: ['t', 'new'] } });
    await ask('DELETE', one, { params: { id: zero } });
    const pages = async (query: Record<string, string>) => {
      const seen: string[][] = [];
      for (let cursor: string | undefined; ; ) {
        const { body } = await ask('GET', all, { query: { ...query, ...(cursor ? { cursor } : {}) } });
        seen.push(body.items.map((item: { name: string }) => item.name));
        cursor = body.nextCursor;
        if (!cursor) return seen;
      }
    };
    expect(await pages({ tag: 't', limit: '2' })).toEqual([['tagged 4', 'tagged 3'], ['tagged 2']]);
    expect(await pages({ tag: 't', limit: '1', sort: 'createdAt' })).toEqual([
      ['tagged 2'],
      ['tagged 3'],
      ['tagged 4'],
    ]);
    expect(await pages({ tag: 't', limit: '1', q: '4' })).toEqual([['tagged 4']]);
    expect(await pages({ tag: 't', sort: 'status' })).toEqual([['tagged 2', 'tagged 3', 'tagged 4']]);
    expect([
      await ids({ tag: 't1' }),
      await ids({ tag: 't2' }),
      await ids({ tag: 't0' }),
      await ids({ tag: 'new' }),
    ]).toEqual([['tagged 1'], [], [], ['tagged 2']]);
    expect(await ids({ tag: 't', status: 'running' })).toEqual([]);
    const { body } = await ask('GET', all, { query: { tag: 't', limit: '1' } });
    const { status } = await ask('GET', all, { query: { tag: 'new', limit: '1', cursor: body.nextCursor } });
    expect(status).toBe(422);
  });

  it('not those of another organisation', async () => {
    const { body } = await store({ name: 'ours' });
    const caller = { ...ada, organisation: 'globex' };
    await join(place().table, caller);
    const params = { id: body.id };
    expect((await ask('GET', all, { caller })).body.items).toEqual([]);
    for (const [method, route, body] of [
      ['GET', one],
      ['PATCH', one, {}],
      ['DELETE', one],
      ['POST', `${one}/start`],
      ['POST', `${one}/stop`],
      ['GET', `${one}/logs`],
      ['GET', `${one}/events`],
    ] as const)
      expect((await ask(method, route, { params, caller, body })).status, `${method} ${route}`).toBe(404);
    expect((await ask('GET', one, { params })).body.status).toBe('created');
  });
});
