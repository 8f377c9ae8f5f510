import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNetwork } from '../../../shared/registry/network.ts';
import { openedByTests } from '../../shared/registry/opened.ts';
import { type Answer, type Asked, json } from '../../shared/registry/servers.ts';
import { startDeployment, type TestDeployment } from '../deployment.ts';
import { ada, call } from '../event.ts';
import { registriesService } from './service.ts';

let deployment: TestDeployment;
let service: ReturnType<typeof registriesService>;
beforeAll(async () => {
  deployment = await startDeployment();
  service = registriesService(deployment);
});
afterAll(() => deployment?.stop());

const { registry, server } = openedByTests();
const create = (host: string, more: object = {}) =>
  call(service.handler, {
    method: 'POST',
    route: '/v1/registries',
    body: { title: host, url: `http://${host}`, type: 'other', ...more },
  });
async function check(
  host: string,
  { repository, ...more }: { repository?: string } & Record<string, unknown> = {},
) {
  const { body } = await create(host, more);
  return await call(service.handler, {
    method: 'POST',
    route: '/v1/registries/{id}/check',
    params: { id: body.id },
    body: repository === undefined ? {} : { repository },
  });
}
const ada1 = { username: 'ada', password: 'secret' };
const behindBasic = ({ headers }: Asked) =>
  headers.authorization === `Basic ${btoa('ada:secret')}`
    ? undefined
    : json(401, {}, { 'www-authenticate': 'Basic realm="x"' });

describe('R9 checking a registry', () => {
  it('is fine where it is, with a hint at what was not asked', async () => {
    const { host } = await registry(behindBasic);
    expect(await check(host, ada1)).toMatchObject({
      status: 200,
      body: {
        ok: true,
        warnings: [expect.stringContaining('repository')],
        checkedAt: '2026-11-21T09:00:00.000Z',
      },
    });
    expect((await check(host, { ...ada1, repository: 'app' })).body).toMatchObject({ ok: true });
  });

  it.each([
    ['bad-credentials', { ...ada1, password: 'guess' }, {}, behindBasic],
    [
      'no-push',
      ada1,
      { repository: 'app' },
      ({ method }: Asked) => (method === 'POST' ? json(403, {}) : undefined),
    ],
    [
      'no-pull',
      ada1,
      { repository: 'app' },
      ({ method }: Asked) => (method === 'HEAD' ? json(403, {}) : undefined),
    ],
    ['rate-limited', {}, {}, () => ({ status: 429, headers: { 'retry-after': '60' } })],
  ] as const)('tells %s', async (cause, credentials, more, before) => {
    const { host } = await registry(before as (asked: Asked) => Answer | undefined);
    const seen = await check(host, { ...credentials, ...more });
    expect(seen).toMatchObject({ status: 200, body: { ok: false, cause } });
    expect(seen.body.retryAfterSeconds).toBe(cause === 'rate-limited' ? 60 : undefined);
  });

  it('tells what is no registry, what is not there, and what may not be asked', async () => {
    const { host } = await server(() => ({ status: 200, body: '<html>' }));
    expect((await check(host)).body).toMatchObject({ ok: false, cause: 'not-a-registry' });
    expect((await check('127.0.0.1:1')).body).toMatchObject({ ok: false, cause: 'unreachable' });
    const hidden = await create('x', { url: 'https://169.254.169.254' });
    const seen = await call(service.handler, {
      method: 'POST',
      route: '/v1/registries/{id}/check',
      params: { id: hidden.body.id },
    });
    expect(seen.body).toMatchObject({ ok: false, cause: 'refused-address' });
  });

  it('finds out by itself what a listed host speaks', async () => {
    const { host } = await registry();
    expect((await check(host, { url: host })).body.ok).toBe(true);
  });

  it('takes a missing repository for no right to push, except where builds create it', async () => {
    const missing = ({ method }: Asked) =>
      method === 'POST' ? json(404, { errors: [{ code: 'NAME_UNKNOWN' }] }) : undefined;
    const { host } = await registry(missing);
    expect((await check(host, { repository: 'app' })).body).toMatchObject({ ok: false, cause: 'no-push' });
    const own = registriesService(deployment, { ecrRegistry: host });
    const known = await call(own.handler, {
      method: 'POST',
      route: '/v1/registries',
      body: { title: 'own', url: `${host}/acme`, type: 'other' },
    });
    const seen = await call(own.handler, {
      method: 'POST',
      route: '/v1/registries/{id}/check',
      params: { id: known.body.id },
      body: { repository: 'app' },
    });
    expect(seen.body).toMatchObject({ ok: true, warnings: [expect.stringContaining('latest')] });
  });

  it('asks for no right to push to a public registry', async () => {
    const store = await registry();
    expect((await check(store.host, { visibility: 'public', repository: 'app' })).body.ok).toBe(true);
    expect(store.asked.filter(({ method }) => method === 'POST')).toEqual([]);
  });

  it('refuses a registry at once where that was asked for, and writes nothing', async () => {
    const { host } = await registry(behindBasic);
    const wrong = await create(host, { ...ada1, password: 'guess', title: 'refused', check: true });
    expect(wrong).toMatchObject({
      status: 422,
      body: {
        type: 'urn:slipway:problem:registry-check-failed',
        errors: [{ pointer: '/password', message: expect.stringContaining('bad-credentials') }],
      },
    });
    const list = await call(service.handler, {
      method: 'GET',
      route: '/v1/registries',
      query: { q: 'refused' },
    });
    expect(list.body.items).toEqual([]);
    expect((await create(host, { ...ada1, check: true })).status).toBe(201);
    const busy = await registry(() => ({ status: 429, headers: { 'retry-after': '60' } }));
    expect(await create(busy.host, { check: true })).toMatchObject({
      status: 422,
      headers: { 'retry-after': '60' },
      body: { errors: [{ pointer: '/url', message: expect.stringContaining('rate-limited') }] },
    });
  });

  it('R8 tries the own ECR by the role before it is connected, too, whatever is given', async () => {
    const { host } = await registry(behindBasic);
    const { access } = service;
    const own = registriesService(deployment, {
      ecrRegistry: host,
      access: { ...access, credentialsFor: async (_, at) => (at === host ? ada1 : undefined) },
    });
    const connect = (more: object) =>
      call(own.handler, {
        method: 'POST',
        route: '/v1/registries',
        body: { title: 'own', url: `http://${host}/${ada.organisation}/team`, check: true, ...more },
      });
    expect((await connect({ type: 'slipway' })).status).toBe(201);
    expect((await connect({ type: 'other', username: 'me', password: 'guess' })).status).toBe(201);
  });

  it('R8 warns of a token of ECR, by the host, whatever comes of the check', async () => {
    const nowhere = createNetwork({
      privateHosts: [],
      resolve: () => Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })),
    });
    const token = { username: 'AWS', password: 'token' };
    const url = 'https://123456789012.dkr.ecr.eu-west-1.amazonaws.com';
    const { body } = await create('a token', { url, ...token });
    const seen = await call(registriesService(deployment, { network: nowhere }).handler, {
      method: 'POST',
      route: '/v1/registries/{id}/check',
      params: { id: body.id },
    });
    expect(seen.body).toMatchObject({
      ok: false,
      cause: 'dns',
      warnings: [expect.stringContaining('12 hours')],
    });
    nowhere.close();
  });

  it('refuses what is no repository, and a registry that is not there', async () => {
    const { host } = await registry();
    expect((await check(host, { repository: '../x' })).body.errors).toMatchObject([
      { pointer: '/repository' },
    ]);
    const gone = {
      method: 'POST',
      route: '/v1/registries/{id}/check',
      params: { id: 'reg_none' },
      caller: ada,
    };
    expect((await call(service.handler, gone)).status).toBe(404);
  });
});
