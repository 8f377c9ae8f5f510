/** Bad requests: the status that the OpenAPI document lists, a problem document behind the gateway, nothing written. */
import { describe, expect, inject, it } from 'vitest';
import { apiOf, type Json, unique } from './client.ts';

const { apiUrl, token } = inject('cloud');
const api = apiOf(apiUrl, token);

const aBuild = (repository: string, base: string) => ({
  source: { type: 'build', dockerfile: `FROM ${base}\n` },
  registryId: 'reg_private',
  repository,
  tag: '1',
});

/** What else is in a list may change: builds of other tests go on. */
const imageIds = async () => (await api.read('/v1/images')).items.map(({ id }: Json) => id);

/** Statuses that the document lists for an operation. */
async function listed(method: string, path: string): Promise<string[]> {
  const document = (await (await fetch(`${apiUrl}/v1/openapi.json`)).json()) as Json;
  return Object.keys(document.paths[path][method.toLowerCase()].responses);
}

describe('bad requests', () => {
  const cases: [name: string, body: unknown, status: number, code: string, pointer?: string][] = [
    ['malformed JSON', '{"source":', 400, 'malformed-json'],
    ['an unknown field', { ...aBuild('x', 'scratch'), colour: 'red' }, 422, 'invalid-request', '/colour'],
    ['a wrong type', { ...aBuild('x', 'scratch'), tag: 7 }, 422, 'invalid-request', '/tag'],
    ['an invalid repository', { ...aBuild('Not Valid', 'scratch') }, 422, 'invalid-request', '/repository'],
    ['nothing at all', {}, 422, 'invalid-request', '/source'],
  ];
  it.each(cases)('POST /v1/images refuses %s', async (_name, body, status, code, pointer) => {
    const before = await imageIds();
    const reply = await api.post('/v1/images', body);
    expect(reply.body).toMatchObject({ type: `urn:slipway:problem:${code}`, status });
    expect(reply.status).toBe(status);
    expect(reply.headers.get('content-type')).toContain('application/problem+json');
    if (pointer) expect(reply.body.errors.map((e: Json) => e.pointer)).toContain(pointer);
    expect(await listed('POST', '/v1/images')).toContain(String(status));
    expect(await imageIds()).toEqual(before);
  });

  it('lists every wrong field at once', async () => {
    const { body } = await api.post('/v1/registries', { title: '', url: 7, type: 'floppy', extra: 1 });
    expect(body.errors.map((e: Json) => e.pointer).sort()).toEqual(['/extra', '/title', '/type', '/url']);
  });

  it('R1 names the missing half of a pair of credentials', async () => {
    const registry = { title: 'Half', url: 'registry.example.com', type: 'other' };
    expect((await api.post('/v1/registries', { ...registry, username: 'me' })).body.errors[0].pointer).toBe(
      '/password',
    );
    expect((await api.post('/v1/registries', { ...registry, password: 'x' })).body.errors[0].pointer).toBe(
      '/username',
    );
  });

  it('refuses a body above ten megabytes at the gateway', async () => {
    const reply = await api.post('/v1/registries', JSON.stringify({ title: 'x'.repeat(11_000_000) }));
    expect(reply.status).toBe(413);
  });

  it.each([
    ['POST', '/v1/builds/{id}/stop'],
    ['POST', '/v1/experiments/{id}/start'],
    ['POST', '/v1/images/{id}/findings'],
    ['DELETE', '/v1/tokens/{id}'],
  ])(
    '%s %s takes no body: another media type and one that is too large are refused as listed',
    async (method, path) => {
      const send = async (body: string) => {
        const { status } = await api.call(method, path.replace('{id}', 'none'), body, {
          'content-type': 'text/plain',
        });
        return status;
      };
      expect(await send('please')).toBe(415);
      expect(await send('x'.repeat(11_000_000))).toBe(413);
      expect(await listed(method, path)).toEqual(expect.arrayContaining(['413', '415']));
    },
  );

  it("answers a wrong method and an unknown path with the gateway's 404", async () => {
    expect(await api.call('PUT', '/v1/images')).toMatchObject({
      status: 404,
      body: { message: 'Not Found' },
    });
    expect(await api.get('/v1/nothing')).toMatchObject({ status: 404, body: { message: 'Not Found' } });
  });
});

describe('identity', () => {
  it('O4 answers 401 without a token', async () => {
    const answer = await fetch(`${apiUrl}/v1/images`);
    expect(answer.status).toBe(401);
    expect(await answer.json()).toEqual({ message: 'Unauthorized' });
  });

  it.each(['nonsense', 'slp_acme.x.y', `${token}x`, token.slice(0, -1)])(
    'O4 answers 403 to the token %#',
    async (wrong) => {
      expect(await apiOf(apiUrl, wrong).get('/v1/images')).toMatchObject({
        status: 403,
        body: { message: 'Forbidden' },
      });
    },
  );

  it('O4 a token that nobody has used yet stops working at once when it is revoked', async () => {
    // So the gateway has cached nothing of it.
    const made = await api.post('/v1/tokens', { title: unique('revoked') });
    expect(made.status).toBe(201);
    expect((await api.call('DELETE', `/v1/tokens/${made.body.id}`)).status).toBe(204);
    expect((await apiOf(apiUrl, made.body.token).get('/v1/me')).status).toBe(403);
  });

  it('O4 tokens that a revoked token made stop working with it, and those that they made', async () => {
    const make = async (from: typeof api) => {
      const made = await from.post('/v1/tokens', { title: unique('made') });
      expect(made.status).toBe(201);
      return { id: made.body.id, api: apiOf(apiUrl, made.body.token) };
    };
    const first = await make(api);
    const second = await make(first.api);
    const third = await make(second.api);
    expect((await api.call('DELETE', `/v1/tokens/${first.id}`)).status).toBe(204);
    expect((await third.api.get('/v1/me')).status).toBe(403);
    // The gateway has cached who these are: they may ask a little longer, but make nothing that lasts.
    for (const { api } of [first, second])
      expect((await api.post('/v1/tokens', { title: unique('late') })).status).toBe(403);
    for (const { id } of [second, third]) expect((await api.get(`/v1/tokens/${id}`)).status).toBe(404);
  });

  it('health and the OpenAPI document need no token', async () => {
    expect((await fetch(`${apiUrl}/v1/health`)).status).toBe(200);
    const document = (await (await fetch(`${apiUrl}/v1/openapi.json`)).json()) as Json;
    expect(document.openapi).toMatch(/^3\.1\./);
  });
});
