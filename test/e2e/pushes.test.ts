/** R5, B1: pushes into other registries than the deployment's own, and pushes that are refused. */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, inject, it } from 'vitest';
import { apiOf, type Json, settled, unique } from './client.ts';
import { connect } from './connected.ts';

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
  return connect(`127.0.0.1:${port}`, credentials);
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

const denied = JSON.stringify({ errors: [{ code: 'DENIED', message: 'the quota is used up' }] });
const spoken = { 'docker-distribution-api-version': 'registry/2.0', 'content-type': 'application/json' };

/** A registry that begins one upload, which is given up again, and then answers like this. */
function afterProbe(answer: RequestListener, givenUp: () => void = () => undefined): RequestListener {
  let begun = false;
  return (request, response) => {
    if (request.url === '/v2/') return void response.writeHead(200, spoken).end('{}');
    if (request.method === 'DELETE') {
      response.once('close', givenUp);
      return void response.writeHead(204, { ...spoken, connection: 'close' }).end();
    }
    if (request.method !== 'POST' || begun) return answer(request, response);
    begun = true;
    response.writeHead(202, { ...spoken, location: `${request.url}1` }).end();
  };
}

const steps = (lines: string[]) => lines.filter((line) => /^#\d+ /.test(line));

it('R9 B1 a registry that has no room: push-refused, in its own words, before any step', async () => {
  const id = await registry((request, response) => {
    const isPing = request.url === '/v2/';
    response.writeHead(isPing ? 200 : request.method === 'HEAD' ? 404 : 403, spoken);
    response.end(isPing ? '{}' : denied);
  });
  const { done, lines } = await build(id);
  expect(done, lines.join('\n')).toMatchObject({
    status: 'failed',
    failure: { code: 'push-refused', message: expect.stringContaining('the quota is used up') },
  });
  expect(steps(lines)).toEqual([]);
});

it('B1 a registry that refuses the image itself: push-refused, in its own words', async () => {
  const id = await registry(
    afterProbe((request, response) => {
      response.writeHead(request.method === 'HEAD' ? 404 : 403, spoken);
      response.end(denied);
    }),
  );
  const { done, lines } = await build(id);
  expect(done, lines.join('\n')).toMatchObject({
    status: 'failed',
    failure: { code: 'push-refused', message: expect.stringContaining('the quota is used up') },
  });
  expect(steps(lines)).not.toEqual([]);
  expect(done.failure.lastLines.length).toBeGreaterThan(0);
});

it('R9 B4 a registry that is gone: target-unavailable, before any step', async () => {
  const id = await registry(() => undefined);
  const [server] = servers.splice(0);
  server?.close();
  const { done, lines } = await build(id);
  expect(done).toMatchObject({
    status: 'failed',
    failure: { code: 'target-unavailable', message: expect.stringContaining('ECONNREFUSED') },
  });
  expect(steps(lines)).toEqual([]);
});

it('B1 B4 a registry that goes away while an image is built: target-unavailable', async () => {
  const id = await registry(
    afterProbe(
      (_, response) => void response.writeHead(500).end(),
      () => {
        for (const server of servers.splice(0)) server.close().closeAllConnections();
      },
    ),
  );
  const { done, lines } = await build(id);
  expect(done, lines.join('\n')).toMatchObject({
    status: 'failed',
    failure: { code: 'target-unavailable', message: expect.stringContaining('could not push') },
  });
  expect(steps(lines)).not.toEqual([]);
});
