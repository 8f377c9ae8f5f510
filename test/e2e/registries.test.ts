/** R5, R9: public registries, and what is wrong with a registry, told apart; against CNCF's distribution registry wherever it can be brought to it. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { importPKCS8, SignJWT } from 'jose';
import { afterAll, expect, inject, it } from 'vitest';
import { startDockerRegistry } from '../../scripts/docker-registry.ts';
import { freePorts } from '../../scripts/ports.ts';
import { SmallImages } from '../../scripts/small-images.ts';
import { checkRegistry } from '../../shared/registry/check.ts';
import { createNetwork } from '../../shared/registry/network.ts';
import {
  type Answer,
  type Asked,
  certificateAuthority,
  json,
  startServer,
} from '../shared/registry/servers.ts';
import { apiOf, type Json, unique } from './client.ts';

const cloud = inject('cloud');
const api = apiOf(cloud.apiUrl, cloud.token);

const open: { stop(): Promise<void> }[] = [];
afterAll(() => Promise.all(open.map((one) => one.stop())));
async function opened<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
  const one = await starting;
  open.push(one);
  return one;
}

const certificates = join(import.meta.dirname, '../shared/registry/certificate');
const tls = { certificate: join(certificates, 'certificate.pem'), key: join(certificates, 'key.pem') };
const account = { username: 'ada', password: unique('password') };

/** Connects the registry, checks it, and answers what the check found. */
async function checked(url: string, more: object = {}, repository?: string): Promise<Json> {
  const connected = await api.post('/v1/registries', {
    title: unique('checked'),
    url,
    type: 'other',
    ...more,
  });
  expect(connected.status, JSON.stringify(connected.body)).toBe(201);
  const reply = await api.post(
    `/v1/registries/${connected.body.id}/check`,
    repository === undefined ? {} : { repository },
  );
  expect(reply.status, JSON.stringify(reply.body)).toBe(200);
  expect(JSON.stringify(reply.body)).not.toContain(account.password);
  return reply.body;
}

it('R9 a registry that is open, and one behind a password', async () => {
  const free = await opened(startDockerRegistry());
  expect(await checked(`http://${free.host}`, {}, 'app')).toMatchObject({ ok: true });
  const guarded = await opened(startDockerRegistry({ account }));
  expect(await checked(`http://${guarded.host}`, account, 'app')).toMatchObject({ ok: true });
  for (const wrong of [{ ...account, password: 'guess' }, {}])
    expect(await checked(`http://${guarded.host}`, wrong)).toMatchObject({
      ok: false,
      cause: 'bad-credentials',
    });
});

it('R9 dns, unreachable, not a registry', async () => {
  expect(await checked('https://registry.invalid')).toMatchObject({ ok: false, cause: 'dns' });
  expect(await checked(`http://127.0.0.1:${await freePorts()}`)).toMatchObject({
    ok: false,
    cause: 'unreachable',
  });
  const page = await opened(startServer(() => ({ status: 200, body: '<html>Welcome</html>' })));
  expect(await checked(`http://${page.host}`)).toMatchObject({ ok: false, cause: 'not-a-registry' });
});

it('R9 tls: an authority that nobody knows, unless the stage names it', async () => {
  const secure = await opened(startDockerRegistry({ tls }));
  expect(await checked(`https://${secure.host}`)).toMatchObject({ ok: false, cause: 'tls' });
  const network = createNetwork({ privateHosts: ['127.0.0.1'], ca: certificateAuthority });
  const subject = { url: { host: secure.host, path: '', insecure: false }, visibility: 'private' as const };
  expect(await checkRegistry(network, { ...subject, repository: 'app' }, new Date())).toMatchObject({
    ok: true,
  });
  network.close();
});

/** Tokens as distribution wants them, for what ada may do: everything in `ada/`, pulling from `shared/`. */
async function tokenService(audience: string) {
  const key = await importPKCS8(readFileSync(tls.key, 'utf8'), 'ES256');
  const certificate = new X509Certificate(certificateAuthority).raw.toString('base64');
  return startServer(async ({ url, headers }: Asked): Promise<Answer> => {
    if (headers.authorization !== `Basic ${btoa(`${account.username}:${account.password}`)}`)
      return json(401, { errors: [{ code: 'UNAUTHORIZED' }] });
    const asked = new URL(url, 'http://x').searchParams.getAll('scope');
    const access = asked.map((scope) => {
      const [type, name = '', actions = ''] = scope.split(':');
      const may = name.startsWith('ada/') ? ['pull', 'push'] : name.startsWith('shared/') ? ['pull'] : [];
      return { type, name, actions: actions.split(',').filter((action) => may.includes(action)) };
    });
    const now = Math.floor(Date.now() / 1000);
    const token = await new SignJWT({ access, jti: unique('token') })
      .setProtectedHeader({ alg: 'ES256', typ: 'JWT', x5c: [certificate] })
      .setIssuer('tests')
      .setSubject(account.username)
      .setAudience(audience)
      .setIssuedAt(now - 5)
      .setNotBefore(now - 5)
      .setExpirationTime(now + 300)
      .sign(key);
    return json(200, { token, expires_in: 300 });
  });
}

it('R9 no right to pull, no right to push, with tokens of a service on another host', async () => {
  const tokens = await opened(tokenService('distribution'));
  const token = {
    realm: `http://${tokens.host}/token`,
    service: 'distribution',
    issuer: 'tests',
    rootcertbundle: tls.certificate,
  };
  const { host } = await opened(startDockerRegistry({ auth: { token } }));
  const url = `http://${host}`;
  expect(await checked(url, account, 'ada/app')).toMatchObject({ ok: true });
  expect(await checked(url, account, 'shared/app')).toMatchObject({ ok: false, cause: 'no-push' });
  expect(await checked(url, account, 'other/app')).toMatchObject({ ok: false, cause: 'no-pull' });
  expect(await checked(url, { ...account, password: 'guess' }, 'ada/app')).toMatchObject({
    ok: false,
    cause: 'bad-credentials',
  });
});

it('R5 nothing is built or mirrored into a public registry', async () => {
  const { host, requests } = await opened(startDockerRegistry());
  const images = new SmallImages(host);
  const repository = unique('team/open');
  await images.image(repository, '1', unique('content'));
  const connected = await api.post('/v1/registries', {
    title: unique('public'),
    url: `http://${host}`,
    type: 'other',
    visibility: 'public',
  });
  const registryId = connected.body.id;
  const source = await api.post('/v1/images', {
    source: { type: 'reference' },
    registryId,
    repository,
    tag: '1',
  });
  expect(source.status, JSON.stringify(source.body)).toBe(201);
  const asked = (await requests()).length;
  const target = { registryId, repository: `${repository}-2`, tag: '2' };
  const build = { source: { type: 'build', dockerfile: 'FROM scratch\nLABEL a=b\n' }, ...target };
  for (const refused of [
    await api.post('/v1/images', build),
    await api.post(`/v1/images/${source.body.id}/mirrors`, target),
    await api.post(`/v1/images/${source.body.id}/builds`, { dockerfile: 'FROM scratch\n' }),
  ])
    expect(refused).toMatchObject({
      status: 422,
      body: {
        type: 'urn:slipway:problem:registry-is-public',
        errors: [{ pointer: '/registryId', message: expect.stringContaining(connected.body.title) }],
      },
    });
  expect(await requests()).toHaveLength(asked);
  // By the index, which lags behind.
  const listed = await api.until(`/v1/registries/${registryId}/images`, ({ items }) => items.length > 0);
  expect(listed.items.map(({ id }: Json) => id)).toEqual([source.body.id]);
});

it('R9 no push into a registry that is read-only for now; rate-limited, with the time to wait, which a launch tells, too', async () => {
  const storage = { maintenance: { readonly: { enabled: true } } };
  const { host } = await opened(startDockerRegistry({ storage }));
  expect(await checked(`http://${host}`, {}, 'app')).toMatchObject({ ok: false, cause: 'no-push' });
  const busy = await opened(startServer(() => ({ status: 429, headers: { 'retry-after': '60' } })));
  expect(await checked(`http://${busy.host}`)).toMatchObject({
    ok: false,
    cause: 'rate-limited',
    retryAfterSeconds: 60,
  });
  const asked = busy.asked.length;
  const image = `${busy.host}/app:1`;
  const launched = await api.post('/v1/experiments', { image, command: ['true'] });
  expect(launched.status, JSON.stringify(launched.body)).toBe(202);
  const over = await api.until(`/v1/experiments/${launched.body.id}`, ({ status }) => status === 'failed');
  expect(over).toMatchObject({
    attempts: [],
    statusReason: {
      code: 'registry-rate-limited',
      message: expect.stringContaining('asks to wait 60 s'),
    },
  });
  expect(busy.asked).toHaveLength(asked + 1);
});
