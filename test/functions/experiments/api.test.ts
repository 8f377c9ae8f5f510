import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { experimentStartOperations } from '../../../functions/experiment-starts/operations.ts';
import { experimentOperations } from '../../../functions/experiments/operations.ts';
import { serve } from '../../../shared/http/serve.ts';
import { createIdempotency } from '../../../shared/store/idempotency.ts';
import { ada, type Call, call, memoryLog } from '../event.ts';
import { experimentsPlace, type Place } from './place.ts';

let place: Place;
let tiny: string;
let handler: ReturnType<typeof serve>;
const log = memoryLog();
beforeAll(async () => {
  place = await experimentsPlace();
  tiny = await place.publish('tiny');
  const operations = [
    ...experimentOperations({ ...place, log }),
    ...experimentStartOperations({ ...place, log }, () => Promise.reject(new Error('nothing is built here'))),
  ];
  handler = serve(operations, {
    now: () => new Date(),
    idempotency: createIdempotency(place.table),
    log,
  });
});
afterAll(() => place.close());

const all = '/v1/experiments';
const one = '/v1/experiments/{id}';
const ask = (method: string, route: string, more: Partial<Call> = {}) =>
  call(handler, { method, route, ...more });
const create = (body: object, query?: Record<string, string>, headers?: Record<string, string>) =>
  ask('POST', all, { body, ...(query ? { query } : {}), ...(headers ? { headers } : {}) });
const store = (body: object) => create({ image: tiny, ...body }, { start: 'false' });

describe('E1 creating', () => {
  it('stores, with defaults from the stage', async () => {
    const { status, headers, body } = await store({ command: ['true'] });
    expect([status, headers.location, headers.etag]).toEqual([201, `/v1/experiments/${body.id}`, '"1"']);
    expect(body).toMatchObject({
      name: body.id,
      status: 'created',
      image: { requested: tiny },
      compute: 'cpu-small',
      entrypoint: 'replace',
      env: {},
      tags: [],
      timeoutSeconds: 86_400,
      retry: { attempts: 1, on: ['no-capacity', 'host-lost'] },
      attempts: [],
      author: 'ada@acme.example',
    });
    for (const hidden of [
      'pk',
      'sk',
      'version',
      'eventCount',
      'statusKey',
      'openKey',
      'dueAt',
      'lastEventAt',
    ])
      expect(body).not.toHaveProperty(hidden);
    const spot = await store({ compute: 'spot-first' });
    expect(spot.body.retry.attempts).toBe(2);
  });

  it('starts at once, and once for a repeated Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'again' };
    const body = { image: tiny, command: ['true'] };
    const first = await create(body, undefined, headers);
    const second = await create(body, undefined, headers);
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(second.body.id).toBe(first.body.id);
    expect((await place.over(first.body.id)).attempts).toHaveLength(1);
    expect((await create({ ...body, name: 'another' }, undefined, headers)).status).toBe(422);
  });

  it.each([
    ['/compute', { compute: 'quantum' }],
    ['/command', { command: 'python train.py' }],
    ['/command', { command: [] }],
    ['/command', { command: [''] }],
    ['/command/0', { command: ['a\0b'] }],
    ['/env/SLIPWAY_JOB_ID', { env: { SLIPWAY_JOB_ID: 'x' } }],
    ['/env/AWS_BATCH_X', { env: { AWS_BATCH_X: 'x' } }],
    ['/env/not-a-name', { env: { 'not-a-name': 'x' } }],
    ['/command', { env: { A: 'x'.repeat(8000), B: 'x'.repeat(8000), C: 'x'.repeat(8000) } }],
    ['/tags', { tags: ['a', 'a'] }],
    ['/timeoutSeconds', { timeoutSeconds: 59 }],
    ['/retry/attempts', { retry: { attempts: 11 } }],
    ['/retry/on/0', { retry: { attempts: 2, on: ['whenever'] } }],
    ['/entrypoint', { entrypoint: 'drop' }],
    ['/secrets', { secrets: { A: 'b' } }],
    ['/source', { source: { uploadId: 'upl_1' } }],
    ['/steps', { steps: [] }],
    ['/override', { override: true }],
  ])('refuses a wrong %s, and stores nothing', async (pointer, wrong) => {
    const before = await ask('GET', all);
    const { status, body } = await create({ image: tiny, ...wrong });
    expect(status).toBe(422);
    expect(body.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
    if (pointer === '/compute') expect(body.errors[0].message).toContain('cpu-small');
    expect((await ask('GET', all)).body).toEqual(before.body);
  });

  it('is for editors', async () => {
    const viewer = { ...ada, role: 'viewer' as const };
    const { status } = await ask('POST', all, { body: { image: tiny }, caller: viewer });
    expect(status).toBe(403);
    expect((await ask('GET', all, { caller: viewer })).status).toBe(200);
  });
});

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
    const params = { id: body.id };
    expect((await ask('GET', all, { caller })).body.items).toEqual([]);
    for (const [method, route] of [
      ['GET', one],
      ['PATCH', one],
      ['DELETE', one],
      ['POST', `${one}/start`],
      ['POST', `${one}/stop`],
      ['GET', `${one}/logs`],
      ['GET', `${one}/events`],
    ] as const)
      expect((await ask(method, route, { params, caller })).status, `${method} ${route}`).toBe(404);
    expect((await ask('GET', one, { params })).body.status).toBe('created');
  });
});

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
    const { body } = await create({ image: tiny, command: ['sleep', '60'] });
    const params = { id: body.id };
    expect(await ask('DELETE', one, { params })).toMatchObject({ status: 409 });
    await ask('POST', `${one}/stop`, { params });
    await place.over(body.id);
    expect((await ask('DELETE', one, { params })).status).toBe(204);
    expect((await ask('GET', one, { params })).status).toBe(404);
    expect(await place.table.all('acme', 'events', body.id)).toEqual([]);
    expect((await ask('DELETE', one, { params })).status).toBe(404);
  });
});

describe('E1, E16 starting and stopping', () => {
  it('starts once, however often it is asked', async () => {
    const { body } = await store({ command: ['sh', '-c', 'sleep 1'] });
    const params = { id: body.id };
    const starts = await Promise.all([1, 2, 3].map(() => ask('POST', `${one}/start`, { params })));
    expect(starts.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect((await place.over(body.id)).attempts).toHaveLength(1);
    const codes = await place.codes(body.id);
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

describe('E24 the timeline', () => {
  it('is read from a cursor, and an answer waits for news', async () => {
    const { body } = await store({ command: ['true'] });
    const params = { id: body.id };
    const first = await ask('GET', `${one}/events`, { params });
    expect(first.body).toMatchObject({ items: [{ seq: 0, code: 'created' }], complete: false });
    const { nextCursor: cursor } = first.body;
    const waiting = ask('GET', `${one}/events`, { params, query: { cursor, wait: '10' } });
    await ask('POST', `${one}/start`, { params });
    expect((await waiting).body.items[0]).toMatchObject({ seq: 1, code: 'pending' });
    await place.over(body.id);
    const rest = await ask('GET', `${one}/events`, { params, query: { cursor } });
    expect(rest.body.complete).toBe(true);
    expect(rest.body).not.toHaveProperty('nextCursor');
    expect(rest.body.items.map((event: { seq: number }) => event.seq)).toEqual(
      rest.body.items.map((_: unknown, i: number) => i + 1),
    );
    const other = await store({});
    const wrong = await ask('GET', `${one}/events`, { params: { id: other.body.id }, query: { cursor } });
    expect(wrong.status).toBe(422);
  });
});

describe('E14 the log', () => {
  it('is followed over attempts to its end, and read by lines of an attempt', async () => {
    const { body } = await create({
      image: tiny,
      command: [
        'sh',
        '-c',
        'for i in 1 2 3; do echo "$SLIPWAY_JOB_ATTEMPT.$i"; done; exit $((2 - SLIPWAY_JOB_ATTEMPT))',
      ],
      retry: { attempts: 2, on: ['error'] },
    });
    const params = { id: body.id };
    const followed: { text: string; attempt: number }[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await ask('GET', `${one}/logs`, {
        params,
        query: { wait: '10', ...(cursor ? { cursor } : {}) },
      });
      followed.push(...page.body.items);
      if (page.body.complete) break;
      cursor = page.body.nextCursor;
    }
    expect(followed.map(({ text, attempt }) => [text, attempt])).toEqual([
      ['1.1', 1],
      ['1.2', 1],
      ['1.3', 1],
      ['2.1', 2],
      ['2.2', 2],
      ['2.3', 2],
    ]);
    const read = async (query: Record<string, string>): Promise<{ texts: string[]; nextCursor?: string }> => {
      const { status, body: page } = await ask('GET', `${one}/logs`, { params, query });
      expect(status, JSON.stringify(page)).toBe(200);
      expect(page.complete).toBe(page.nextCursor === undefined);
      return { texts: page.items.map(({ text }: { text: string }) => text), nextCursor: page.nextCursor };
    };
    // Complete: nothing is behind these lines.
    expect(await read({ from: '2', to: '3' })).toEqual({ texts: ['2.2', '2.3'] });
    expect(await read({ from: '2', to: '9', attempt: '1' })).toEqual({ texts: ['1.2', '1.3'] });
    expect(await read({ attempt: '3' })).toEqual({ texts: [] });
    expect((await read({ to: '1' })).texts).toEqual(['2.1']);
    // A page of one attempt goes on to its end, and no further.
    const first = await read({ attempt: '1', limit: '1' });
    expect(first).toEqual({ texts: ['1.1'], nextCursor: expect.any(String) });
    const cursor = first.nextCursor ?? '';
    const second = await read({ cursor, limit: '1' });
    expect(second).toEqual({ texts: ['1.2'], nextCursor: expect.any(String) });
    expect(await read({ cursor: second.nextCursor ?? '' })).toEqual({ texts: ['1.3'] });
    expect(await read({ cursor, attempt: '1' })).toEqual({ texts: ['1.2', '1.3'] });
    const whole = (await read({ limit: '1' })).nextCursor ?? '';
    const wrong: Record<string, string>[] = [
      { from: '3', to: '2' },
      { from: '1', to: '2000' },
      { from: '1', cursor: 'x' },
      { from: '1', cursor },
      { from: '0' },
      { to: '3', limit: '2' },
      // Nothing that is asked for is passed over.
      { attempt: '1', wait: '20' },
      { from: '1', wait: '20' },
      { cursor, wait: '20' },
      { cursor, attempt: '2' },
      { cursor: whole, attempt: '1' },
    ];
    for (const query of wrong)
      expect((await ask('GET', `${one}/logs`, { params, query })).status, JSON.stringify(query)).toBe(422);
  });
});
