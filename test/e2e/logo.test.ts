/** I3: logos that are uploaded, through the API, byte by byte. */
import { beforeAll, expect, inject, it } from 'vitest';
import { apiOf, type Json, unique } from './client.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const api = apiOf(cloud.apiUrl, cloud.token);
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" cy="4" r="4"/></svg>';

let image: Json;
beforeAll(async () => {
  const repository = unique('logo');
  const reply = await api.post('/v1/images', {
    source: { type: 'build', dockerfile: `FROM ${tinyBase}\nLABEL a=${repository}\n` },
    registryId: 'reg_private',
    repository,
    tag: '1',
  });
  expect(reply.status, JSON.stringify(reply.body)).toBe(202);
  await api.until(`/v1/images/${reply.body.id}`, ({ status }) => status !== 'pending');
  image = reply.body;
});

/** The client of the tests reads text. */
async function send(method: string, path: string, type?: string, body?: Buffer | string, headers = {}) {
  const answer = await fetch(cloud.apiUrl + path, {
    method,
    headers: {
      authorization: `Bearer ${cloud.token}`,
      ...(type ? { 'content-type': type } : {}),
      ...headers,
    },
    ...(body === undefined ? {} : { body: new Uint8Array(Buffer.from(body)) }),
  });
  return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) };
}

it('I3 a PNG comes back as it was, harmless to open, and goes with the next one', async () => {
  const path = `/v1/images/${image.id}/logo`;
  expect((await send('GET', path)).status).toBe(404);
  const put = await send('PUT', path, 'image/png', png);
  expect(put.status, put.bytes.toString()).toBe(200);
  expect(JSON.parse(put.bytes.toString())).toMatchObject({ id: image.id, logo: 'uploaded' });
  const got = await send('GET', path);
  expect(got.status).toBe(200);
  expect(got.bytes.equals(png)).toBe(true);
  expect(got.headers.get('content-type')).toBe('image/png');
  expect(got.headers.get('content-security-policy')).toBe(
    "sandbox; default-src 'none'; style-src 'unsafe-inline'",
  );
  expect(got.headers.get('x-content-type-options')).toBe('nosniff');
  const etag = String(got.headers.get('etag'));
  expect(etag).toBe(put.headers.get('etag'));

  const stale = { 'if-match': '"1"' };
  expect((await send('PUT', path, 'image/svg+xml', svg, stale)).status).toBe(412);
  expect((await send('DELETE', path, undefined, undefined, stale)).status).toBe(412);
  expect((await send('PUT', path, 'image/svg+xml; charset=utf-8', svg, { 'if-match': etag })).status).toBe(
    200,
  );
  const second = await send('GET', path);
  expect(second.bytes.toString()).toBe(svg);
  expect(second.headers.get('content-type')).toBe('image/svg+xml');
  expect(second.headers.get('content-security-policy')).toContain('sandbox');

  expect((await api.read(`/v1/images/${image.id}`)).logo).toBe('uploaded');
  const { items } = await api.read(`/v1/images?name=${image.repository}:1`);
  expect(JSON.stringify(items)).not.toContain('<svg');
});

it('I3 a named logo takes its place, has a picture too, and either can be taken away', async () => {
  const path = `/v1/images/${image.id}/logo`;
  await send('PUT', path, 'image/png', png);
  const named = await api.call('PATCH', `/v1/images/${image.id}`, { logo: 'pytorch' });
  expect(named.body.logo).toBe('pytorch');
  const mark = await send('GET', path);
  expect(mark.headers.get('content-type')).toBe('image/svg+xml');
  expect(mark.bytes.toString()).toContain('aria-label="pytorch"');
  expect((await send('DELETE', path)).status).toBe(204);
  expect((await send('GET', path)).status).toBe(404);
  expect((await send('DELETE', path)).status).toBe(404);
  expect((await api.read(`/v1/images/${image.id}`)).logo).toBeUndefined();
  expect((await send('PUT', path, 'image/png', png)).status).toBe(200);
  expect((await send('DELETE', path)).status).toBe(204);
  // Nobody says that a picture was uploaded but by uploading it.
  expect((await api.call('PATCH', `/v1/images/${image.id}`, { logo: 'uploaded' })).status).toBe(422);
});

it('I3 says why a picture is refused, and keeps the one before', async () => {
  const path = `/v1/images/${image.id}/logo`;
  await send('PUT', path, 'image/png', png);
  const before = await send('GET', path);
  const refusals: [type: string, body: Buffer | string, status: number, why: string][] = [
    ['image/png', svg, 422, 'it is not a PNG'],
    ['image/svg+xml', png, 422, 'it is not UTF-8'],
    ['image/svg+xml', svg.replace('<circle', '<script/><circle'), 422, '<script> is not allowed'],
    ['image/svg+xml', svg.replace('r="4"', 'r="4" onload="x()"'), 422, 'event handler "onload"'],
    ['image/svg+xml', '<!DOCTYPE svg [<!ENTITY a "b">]><svg/>', 422, 'entities'],
    ['image/svg+xml', svg.replace('</svg>', ''), 422, 'not well-formed XML'],
    ['image/png', Buffer.concat([png, Buffer.alloc(65_536)]), 413, 'at most 65536 bytes'],
    ['image/gif', 'GIF89a', 415, 'image/png or image/svg+xml'],
    ['application/json', '{"logo": "python"}', 415, 'image/png or image/svg+xml'],
    ['image/png', '', 422, 'The body is required.'],
  ];
  for (const [type, body, status, why] of refusals) {
    const answer = await send('PUT', path, type, body);
    expect(answer.status, `${why}: ${answer.bytes}`).toBe(status);
    expect(answer.bytes.toString()).toContain(JSON.stringify(why).slice(1, -1));
  }
  const after = await send('GET', path);
  expect(after.bytes.equals(png)).toBe(true);
  expect(after.headers.get('etag')).toBe(before.headers.get('etag'));
});

it('I3 images of the catalogue show their logos, and take none', async () => {
  const path = '/v1/images/img_kubeflow-jupyter-scipy/logo';
  expect((await send('GET', path)).bytes.toString()).toContain('aria-label="jupyter"');
  expect((await send('PUT', path, 'image/png', png)).status).toBe(409);
  expect((await send('PUT', '/v1/images/img_01aaaaaaaa/logo', 'image/png', png)).status).toBe(404);
});

it('I3 neither a mirror nor an image of the same name has the logo of the one before', async () => {
  const path = `/v1/images/${image.id}`;
  await send('PUT', `${path}/logo`, 'image/png', png);
  const mirror = await api.post(`${path}/mirrors`, { repository: unique('logo-copy') });
  expect(mirror.status, JSON.stringify(mirror.body)).toBe(202);
  expect(mirror.body.logo).toBeUndefined();
  expect((await send('GET', `/v1/images/${mirror.body.id}/logo`)).status).toBe(404);
  await api.until(`/v1/images/${mirror.body.id}`, ({ status }) => status !== 'pending');
  expect((await api.call('DELETE', path)).status).toBe(204);
  expect((await send('GET', `${path}/logo`)).status).toBe(404);
  expect((await send('PUT', `${path}/logo`, 'image/png', png)).status).toBe(404);
});
