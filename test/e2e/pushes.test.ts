/** R5, B1: pushes into other registries than the deployment's own, and pushes that are refused. */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, inject, it } from 'vitest';
import { apiOf, type Json, settled, unique } from './client.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const api = apiOf(cloud.apiUrl, cloud.token);
const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A registry that answers like this, connected to the organisation. */
async function registry(answer: RequestListener, credentials: object = {}): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const reply = await api.post('/v1/registries', {
    title: unique('registry'),
    url: `http://127.0.0.1:${port}`,
    type: 'other',
    ...credentials,
  });
  expect(reply.status, JSON.stringify(reply.body)).toBe(201);
  return reply.body.id;
}

async function build(registryId: string): Promise<{ done: Json; image: Json; lines: string[] }> {
  const reply = await api.post('/v1/images', {
    source: { type: 'build', dockerfile: `FROM ${tinyBase}\nRUN true\n` },
    registryId,
    repository: unique('team/push'),
    tag: '1',
  });
  expect(reply.status, JSON.stringify(reply.body)).toBe(202);
  const path = `/v1/builds/${reply.body.currentBuild.id}`;
  const lines = (await api.log(path)).map((line) => line.text);
  return {
    done: await api.until(path, settled),
    image: await api.read(`/v1/images/${reply.body.id}`),
    lines,
  };
}

it('B1 credentials that may not push: push-unauthorized, and they were really sent', async () => {
  const seen = new Set<string>();
  const id = await registry(
    (request, response) => {
      if (request.headers.authorization) seen.add(request.headers.authorization);
      response.writeHead(401, {
        'www-authenticate': 'Basic realm="test"',
        'docker-distribution-api-version': 'registry/2.0',
        'content-type': 'application/json',
      });
      response.end(
        JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] }),
      );
    },
    { username: 'robot', password: 'wrong-password' },
  );
  const { done, image, lines } = await build(id);
  expect(done, lines.join('\n')).toMatchObject({ status: 'failed', failure: { code: 'push-unauthorized' } });
  expect(image.status).toBe('failed');
  expect([...seen]).toEqual([`Basic ${Buffer.from('robot:wrong-password').toString('base64')}`]);
  expect(lines.join('\n') + JSON.stringify(done)).not.toContain('wrong-password');
});

it('B1 a registry that refuses the image: push-refused, in its own words', async () => {
  const id = await registry((request, response) => {
    const isPing = request.url === '/v2/';
    response.writeHead(isPing ? 200 : request.method === 'HEAD' ? 404 : 403, {
      'docker-distribution-api-version': 'registry/2.0',
      'content-type': 'application/json',
    });
    response.end(
      isPing ? '{}' : JSON.stringify({ errors: [{ code: 'DENIED', message: 'the quota is used up' }] }),
    );
  });
  const { done, lines } = await build(id);
  expect(done, lines.join('\n')).toMatchObject({
    status: 'failed',
    failure: { code: 'push-refused', message: expect.stringContaining('the quota is used up') },
  });
  expect(done.failure.lastLines.length).toBeGreaterThan(0);
});

it('B1 a registry that is gone: push-refused', async () => {
  const id = await registry(() => undefined);
  const [server] = servers.splice(0);
  server?.close();
  const { done } = await build(id);
  expect(done).toMatchObject({ status: 'failed', failure: { code: 'push-refused' } });
});
