import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type Caller, type Implementation, implement, operation } from '../../../shared/http/operation.ts';
import { notFound, ProblemError } from '../../../shared/http/problem.ts';
import { requireMatch, serve } from '../../../shared/http/serve.ts';
import type { Table } from '../../../shared/store/table.ts';
import { ada, call, memoryLog } from '../../functions/event.ts';

const params = z.object({ id: z.string().min(2) });
const readThing = operation({
  id: 'readThing',
  method: 'GET',
  path: '/v1/things/{id}',
  role: 'viewer',
  params,
});
const listThings = operation({
  id: 'listThings',
  method: 'GET',
  path: '/v1/things',
  role: 'viewer',
  query: z.strictObject({ limit: z.coerce.number().int().max(100).default(50) }),
});
const changeThing = operation({
  id: 'changeThing',
  method: 'PATCH',
  path: '/v1/things/{id}',
  role: 'editor',
  params,
  body: z.strictObject({ title: z.string().max(5), nested: z.object({ size: z.int() }).optional() }),
});
const openThing = operation({ id: 'openThing', method: 'GET', path: '/v1/open', role: 'public' });

/** A table in which whoever is looked up is an admin; the tests of `confirmCaller` have a real one. */
const members = () =>
  ({
    getAll: async (_: string, keys: readonly unknown[]) =>
      keys.map(() => ({ role: 'admin', createdAt: '2026-01-01T00:00:00.000Z' })),
  }) as unknown as Table;

function service(overrides: Partial<Record<string, Implementation['handle']>> = {}) {
  const log = memoryLog();
  const bind = (one: Parameters<typeof implement>[0], handle: Implementation['handle']) =>
    implement(one, overrides[one.id] ?? handle);
  const handler = serve(
    [
      bind(readThing, async ({ params }) => ({ status: 200, body: params, etag: 3 })),
      bind(listThings, async ({ query }) => ({ status: 200, body: query })),
      bind(changeThing, async ({ body, ifMatch }) => {
        requireMatch({ ifMatch }, 3);
        return { status: 200, body };
      }),
      bind(openThing, async () => ({ status: 204 })),
    ],
    { now: () => new Date('2026-11-21T09:00:00Z'), table: members(), log },
  );
  return { handler, log };
}

const read = { method: 'GET', route: '/v1/things/{id}', params: { id: 'abc' } };
const change = { method: 'PATCH', route: '/v1/things/{id}', params: { id: 'abc' } };

describe('serve', () => {
  it('answers JSON with its ETag', async () => {
    expect(await call(service().handler, read)).toEqual({
      status: 200,
      headers: { 'content-type': 'application/json', etag: '"3"' },
      body: { id: 'abc' },
    });
    expect(await call(service().handler, { method: 'GET', route: '/v1/open', caller: {} })).toEqual({
      status: 204,
      headers: {},
      body: undefined,
    });
  });

  it("takes the gateway's word for the route, also where a parameter has a slash", async () => {
    const seen = await call(service().handler, { ...read, params: { id: 'team/model:1' } });
    expect(seen.body).toEqual({ id: 'team/model:1' });
  });

  it('lists every field that is wrong, in path, query and body, by its pointer', async () => {
    const seen = await call(service().handler, {
      ...change,
      params: { id: 'a' },
      query: { 'x/y': '1' },
      body: { title: 'too long', nested: { size: 1.5 }, 'a/b~c': 1 },
    });
    expect(seen.status).toBe(422);
    expect(seen.headers['content-type']).toBe('application/problem+json');
    expect(seen.body).toMatchObject({
      type: 'urn:slipway:problem:invalid-request',
      title: 'Invalid request',
      status: 422,
      instance: 'req-1',
    });
    expect(seen.body.errors.map((one: { pointer: string }) => one.pointer)).toEqual([
      '{id}',
      '?x/y',
      '/title',
      '/nested/size',
      '/a~1b~0c',
    ]);
  });

  it('says which fields are missing, and that a body is needed', async () => {
    const seen = await call(service().handler, { ...change, body: {} });
    expect(seen.body.errors).toEqual([{ pointer: '/title', message: 'is required' }]);
    const none = await call(service().handler, { ...change, body: undefined });
    expect(none.body.errors).toEqual([{ pointer: '', message: 'The body is required.' }]);
    const array = await call(service().handler, { ...change, body: [] });
    expect(array.body.errors).toEqual([{ pointer: '', message: 'The body must be an object.' }]);
  });

  it('refuses a body that nobody reads, and query parameters that nobody knows', async () => {
    expect((await call(service().handler, { ...read, body: { a: 1 } })).status).toBe(422);
    const list = { method: 'GET', route: '/v1/things' };
    expect((await call(service().handler, { ...list, query: { limit: '7' } })).body).toEqual({ limit: 7 });
    expect((await call(service().handler, { ...list, query: { limit: '101' } })).body.errors).toMatchObject([
      { pointer: '?limit' },
    ]);
    expect((await call(service().handler, { ...list, query: { limt: '7' } })).body.errors).toMatchObject([
      { pointer: '?limt', message: 'There is no parameter `limt`. Did you mean `limit`?' },
    ]);
  });

  it.each([
    ['{"title": ', 400],
    ['nothing', 400],
    ['"text"', 422],
    ['null', 422],
    [`${'['.repeat(100_000)}`, 400],
  ])('refuses the body %.20s', async (body, status) => {
    expect((await call(service().handler, { ...change, body })).status).toBe(status);
  });

  it('takes JSON under its names and forgets to ask where there is none', async () => {
    const as = (type: string) =>
      call(service().handler, { ...change, headers: { 'content-type': type }, body: { title: 'x' } });
    for (const type of ['application/json; charset=utf-8', 'application/merge-patch+json', ''])
      expect((await as(type)).status).toBe(200);
    expect(await as('text/html')).toMatchObject({
      status: 415,
      body: { type: 'urn:slipway:problem:media-type' },
    });
  });

  it('O3 refuses a role that is too low, an unknown one, and no identity at all', async () => {
    const as = (caller: object) => call(service().handler, { ...change, body: { title: 'x' }, caller });
    expect(await as({ ...ada, role: 'viewer' })).toMatchObject({
      status: 403,
      body: { type: 'urn:slipway:problem:role-required' },
    });
    expect((await as({ ...ada, role: 'editor' })).status).toBe(200);
    expect((await as({ ...ada, role: 'owner' })).status).toBe(403);
    expect((await as({})).status).toBe(403);
    expect((await as({ organisation: 'acme', role: 'admin' })).status).toBe(403);
  });

  it('serves the organisation that a member of several names, and refuses to choose for them', async () => {
    const { handler, log } = service();
    const memberships = [
      { ...ada, organisation: 'acme', role: 'viewer' as const },
      { ...ada, organisation: 'globex' },
    ];
    const as = (caller: object, named?: string) =>
      call(handler, {
        ...change,
        body: { title: 'x' },
        caller: { ...caller, memberships } as Partial<Caller>,
        headers: named === undefined ? {} : { 'slipway-organisation': named },
      });
    const undecided = { organisation: '', memberId: ada.memberId, email: '', role: 'viewer' };
    expect(await as(undecided)).toMatchObject({
      status: 403,
      body: {
        type: 'urn:slipway:problem:organisation-required',
        detail: expect.stringContaining('acme and globex'),
      },
    });
    expect((await as(undecided, 'globex')).status).toBe(200);
    expect(log.lines.at(-1)?.fields).toMatchObject({ organisation: 'globex' });
    // With the role that they have there, and nowhere else.
    expect((await as(undecided, 'acme')).body.type).toBe('urn:slipway:problem:role-required');
    for (const other of ['initech', '', 'globex,acme', 'GLOBEX', '__proto__'])
      expect((await as(undecided, other)).status).toBe(403);
    expect((await as({ ...ada, organisation: 'globex' })).status).toBe(200);
    expect((await as({ ...ada, organisation: 'globex' }, 'acme')).status).toBe(403);
    const token = { ...change, body: { title: 'x' }, headers: { 'slipway-organisation': 'globex' } };
    expect((await call(handler, token)).status).toBe(403);
    // Clients send it with every request; a public operation has no caller.
    const open = { method: 'GET', route: '/v1/open', caller: {}, headers: token.headers };
    expect((await call(handler, open)).status).toBe(204);
  });

  const matching = (etag: string) =>
    call(service().handler, { ...change, body: { title: 'x' }, headers: { 'if-match': etag } });

  it.each([
    '"3"',
    '3',
    '*',
    ' "3" ',
    '"2", "3"',
    '"2","3","4"',
    'W/"2", "3"',
    '"a,b" , "3"',
    ', "3",',
    '"2" , , "3"',
  ])('changes what is at the version that is named: %s', async (etag) => {
    expect((await matching(etag)).status).toBe(200);
  });

  it.each(['"2"', 'W/"3"', '"2", W/"3"', '"2,3"', '"\u00e93"', '2'])(
    'refuses the stale: %s',
    async (etag) => {
      expect(await matching(etag)).toMatchObject({
        status: 412,
        body: { type: 'urn:slipway:problem:stale' },
      });
    },
  );

  it.each([
    'abc',
    '"3',
    '"2" "3"',
    '*, "3"',
    '""3""',
    '',
    'w/"3"',
    `${'"x", '.repeat(2000)}x`,
    `"x"${', '.repeat(4000)}x`,
    `${' '.repeat(9000)}x`,
    '"a b", "3"',
  ])('refuses what is no list of entity tags: %.20s', async (etag) => {
    expect((await matching(etag)).status).toBe(400);
  });

  it('answers 304 to who has the version already, by the weak comparison', async () => {
    const get = (etag: string) => call(service().handler, { ...read, headers: { 'if-none-match': etag } });
    for (const known of ['"3"', 'W/"3"', '"1", W/"3"', '*'])
      expect(await get(known)).toEqual({ status: 304, headers: { etag: '"3"' }, body: undefined });
    for (const other of ['"2"', '"1", "2"', '"33"']) expect((await get(other)).status).toBe(200);
    expect((await get('three')).status).toBe(400);
    const list = { method: 'GET', route: '/v1/things', headers: { 'if-none-match': '*' } };
    expect((await call(service().handler, list)).status).toBe(200);
  });

  it('tells problems as they are and everything else as nothing but a request id', async () => {
    const { handler, log } = service({
      readThing: async () => {
        throw notFound('thing');
      },
      listThings: async () => {
        throw new Error('password hunter2 refused by 10.0.0.3');
      },
      openThing: async () => {
        throw new ProblemError(503, 'busy', 'Later.', {}, { 'retry-after': '3' });
      },
    });
    expect(await call(handler, read)).toMatchObject({
      status: 404,
      body: { detail: 'There is no thing with this id.' },
    });
    const hidden = await call(handler, { method: 'GET', route: '/v1/things' });
    expect(hidden).toMatchObject({
      status: 500,
      body: { type: 'urn:slipway:problem:internal', instance: 'req-1' },
    });
    expect(JSON.stringify(hidden)).not.toContain('hunter2');
    expect(log.lines.map((line) => line.message)).toContain('unexpected error');
    expect((await call(handler, { method: 'GET', route: '/v1/open' })).headers['retry-after']).toBe('3');
  });

  it('confirms the callers of everything but GET, and refuses to be made where it could not', async () => {
    const parts = { now: () => new Date(), log: memoryLog() };
    const change = implement(changeThing, async () => ({ status: 200 }));
    expect(() => serve([change], parts)).toThrow('confirm');
    expect(() => serve([implement(readThing, async () => ({ status: 200 }))], parts)).not.toThrow();
  });

  it('says so when an answer is more than Lambda carries', async () => {
    const { handler } = service({ readThing: async () => ({ status: 200, body: 'x'.repeat(6_000_000) }) });
    expect(await call(handler, read)).toMatchObject({
      status: 422,
      body: { type: 'urn:slipway:problem:answer-too-large' },
    });
  });

  it('logs operation, status and time, and no bodies', async () => {
    const { handler, log } = service();
    await call(handler, { ...change, body: { title: 'hush' } });
    expect(log.lines[0]).toMatchObject({
      message: 'answered',
      fields: { operation: 'changeThing', status: 200, requestId: 'req-1', organisation: 'acme' },
    });
    expect(JSON.stringify(log.lines)).not.toContain('hush');
  });
});
