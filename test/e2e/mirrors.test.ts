/** I7, I14: mirrors between real registries: the deployment's own, and the distribution registry with and without a login. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, inject, it } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../../scripts/docker-registry.ts';
import { type Pushed, SmallImages } from '../../scripts/small-images.ts';
import { apiOf, type Json, settled, unique } from './client.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const api = apiOf(cloud.apiUrl, cloud.token);
const account = { username: 'robot', password: 'open sesame' };

let open: DockerRegistry;
let closed: DockerRegistry;
let openId: string;
let closedId: string;
let openImages: SmallImages;
const servers: Server[] = [];

beforeAll(async () => {
  [open, closed] = await Promise.all([startDockerRegistry(), startDockerRegistry({ account })]);
  openId = await connect(open.host);
  closedId = await connect(closed.host, account);
  openImages = new SmallImages(open.host);
});
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});
afterAll(async () => {
  await Promise.all([open?.stop(), closed?.stop()]);
});

async function connect(host: string, credentials: object = {}): Promise<string> {
  const reply = await api.post('/v1/registries', {
    title: unique('second'),
    url: `http://${host}`,
    type: 'other',
    ...credentials,
  });
  expect(reply.status, JSON.stringify(reply.body)).toBe(201);
  return reply.body.id;
}

async function reference(registryId: string, repository: string, tag: string): Promise<Json> {
  const reply = await api.post('/v1/images', { source: { type: 'reference' }, registryId, repository, tag });
  expect(reply.status, JSON.stringify(reply.body)).toBe(201);
  return reply.body;
}

async function mirror(imageId: string, body: object): Promise<{ image: Json; path: string }> {
  const reply = await api.post(`/v1/images/${imageId}/mirrors`, body);
  expect(reply.status, JSON.stringify(reply.body)).toBe(202);
  const path = `/v1/builds/${reply.body.currentBuild.id}`;
  expect(reply.headers.get('location')).toBe(path);
  return { image: reply.body, path };
}

async function finished(path: string): Promise<{ job: Json; lines: string[] }> {
  const lines = (await api.log(path)).map((line) => line.text);
  return { job: await api.until(path, settled), lines };
}

/** The open registry behind a server that first does what a test wants with requests for layers of an image. */
async function inFront(image: Pushed, onLayer: () => Promise<void>): Promise<string> {
  const manifest = JSON.parse(image.body) as { layers: { digest: string }[] };
  const layers = manifest.layers.map(({ digest }) => digest);
  const server = createServer((asked, answer) => {
    const forward = () => {
      const passed = request(
        {
          host: '127.0.0.1',
          port: open.host.split(':')[1],
          path: asked.url,
          method: asked.method,
          headers: asked.headers,
        },
        (got) => {
          answer.writeHead(got.statusCode ?? 502, got.headers);
          got.pipe(answer);
        },
      );
      passed.on('error', () => answer.destroy());
      asked.pipe(passed);
    };
    const isLayer =
      asked.method === 'GET' && layers.some((digest) => asked.url?.endsWith(`/blobs/${digest}`));
    void (isLayer ? onLayer() : Promise.resolve()).then(forward);
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('I7 every platform, digests byte by byte, into a registry with a login; a line for each layer', async () => {
  const repository = unique('team/all');
  const { index } = await openImages.index(repository, '1', unique('content'));
  const source = await reference(openId, repository, '1');
  const { image, path } = await mirror(source.id, { registryId: closedId });
  expect(image).toMatchObject({
    source: 'mirror',
    status: 'pending',
    repository,
    tag: '1',
    registryId: closedId,
  });
  const { job, lines } = await finished(path);
  expect(job, lines.join('\n')).toMatchObject({ kind: 'mirror', status: 'succeeded', digest: index.digest });
  expect(job.mirror).toMatchObject({ existingBlobs: 0, mountedBlobs: 0 });
  expect(job.mirror.movedBlobs).toBe(8);
  const layers = lines.filter((line) => /layer sha256:[0-9a-f]{64} \d+ bytes moved \d+\.\d s$/.test(line));
  expect(layers).toHaveLength(8);
  const theirs = await new SmallImages(closed.host, account).read(repository, '1');
  expect(theirs).toEqual({ digest: index.digest, body: index.body });
  expect(await api.read(`/v1/images/${image.id}`)).toMatchObject({
    status: 'ready',
    source: 'mirror',
    digest: index.digest,
    platforms: ['linux/amd64', 'linux/arm64'],
  });
  // I14
  expect(await api.read(`/v1/images/${source.id}/location`)).toEqual({
    kind: 'pull',
    uri: `${open.host}/${repository}@${index.digest}`,
    digest: index.digest,
  });
  expect((await api.read('/v1/builds?kind=mirror')).items.map((one: Json) => one.id)).toContain(job.id);
  const { items } = await api.read(`${path}/events?limit=100`);
  expect(items.map((event: Json) => event.message)).toContain('Layers are copied.');
});

it('I7 one platform, from a registry with a login into the own space', async () => {
  const repository = unique('team/one');
  const { arm } = await new SmallImages(closed.host, account).index(repository, '1', unique('content'));
  const source = await reference(closedId, repository, '1');
  const { image, path } = await mirror(source.id, {
    platform: 'linux/arm64',
    repository: unique('mirrored/one'),
    tag: 'arm',
  });
  const { job, lines } = await finished(path);
  expect(job, lines.join('\n')).toMatchObject({ status: 'succeeded', digest: arm.digest });
  expect(image.uri).toBe(`${cloud.registryHost}/acme/${image.repository}:arm`);
  expect(await api.read(`/v1/images/${image.id}`)).toMatchObject({ platforms: ['linux/arm64'] });
  const none = await api.post(`/v1/images/${source.id}/mirrors`, { platform: 'linux/s390x' });
  expect(none).toMatchObject({ status: 422, body: { type: 'urn:slipway:problem:image-no-platform' } });
});

it('I7 a built image into another registry: a target that is there is refused without force, layers that are there are not moved', async () => {
  const built = await api.post('/v1/images', {
    source: { type: 'build', dockerfile: `FROM ${tinyBase}\nRUN echo ${unique('x')} > /x\n` },
    registryId: 'reg_private',
    repository: unique('built'),
    tag: '1',
  });
  await api.until(`/v1/builds/${built.body.currentBuild.id}`, settled);
  const source = await api.read(`/v1/images/${built.body.id}`);
  const first = await mirror(source.id, { registryId: openId });
  const { job, lines } = await finished(first.path);
  expect(job, lines.join('\n')).toMatchObject({ status: 'succeeded', digest: source.digest });
  expect((await openImages.read(source.repository, '1'))?.digest).toBe(source.digest);

  const again = await api.post(`/v1/images/${source.id}/mirrors`, { registryId: openId });
  expect(again).toMatchObject({ status: 409, body: { candidates: [first.image.id] } });
  // A tag that Slipway knows nothing of counts as well.
  await openImages.image(source.repository, 'foreign', unique('foreign'));
  const foreign = await api.post(`/v1/images/${source.id}/mirrors`, { registryId: openId, tag: 'foreign' });
  expect(foreign).toMatchObject({ status: 409, body: { type: 'urn:slipway:problem:target-exists' } });

  const forced = await mirror(source.id, { registryId: openId, force: true });
  expect(forced.image.id).toBe(first.image.id);
  const second = await finished(forced.path);
  expect(second.job, second.lines.join('\n')).toMatchObject({
    status: 'succeeded',
    mirror: { movedBlobs: 0, mountedBlobs: 0, movedBytes: 0 },
  });
  expect(second.lines.filter((line) => /layer .* exists /.test(line)).length).toBeGreaterThan(1);
});

it('I7 within one registry layers are mounted from the other repository', async () => {
  const repository = unique('team/mount');
  await openImages.image(repository, '1', unique('content'));
  const source = await reference(openId, repository, '1');
  const { path } = await mirror(source.id, { registryId: openId, repository: unique('other') });
  const { job, lines } = await finished(path);
  expect(job, lines.join('\n')).toMatchObject({
    status: 'succeeded',
    mirror: { movedBlobs: 0, mountedBlobs: 3, existingBlobs: 0 },
  });
});

it('I7 an SBOM goes along: from under a tag into the own space, which lists referrers itself, and from there', async () => {
  const repository = unique('team/signed');
  const image = await openImages.image(repository, '1', unique('content'));
  const layer = await openImages.blob(repository, Buffer.from(`sbom of ${image.digest}`));
  const config = await openImages.blob(repository, Buffer.from('{}'));
  const artifactType = 'application/spdx+json';
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: image.mediaType,
    artifactType,
    config: { mediaType: 'application/vnd.oci.empty.v1+json', ...config },
    layers: [{ mediaType: artifactType, ...layer }],
    subject: { mediaType: image.mediaType, digest: image.digest, size: Buffer.byteLength(image.body) },
  });
  const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`;
  await openImages.manifest(repository, digest, image.mediaType, body);
  const indexType = 'application/vnd.oci.image.index.v1+json';
  const manifests = [{ mediaType: image.mediaType, digest, size: Buffer.byteLength(body), artifactType }];
  const tag = image.digest.replace(':', '-');
  const list = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests });
  await openImages.manifest(repository, tag, indexType, list);

  const source = await reference(openId, repository, '1');
  const own = await mirror(source.id, { repository: unique('mirrored/signed') });
  const { lines } = await finished(own.path);
  expect(lines).toContain(`[slipway] referrer ${digest} ${artifactType} of ${image.digest}`);
  const onwards = await mirror(own.image.id, { registryId: closedId, repository });
  const second = await finished(onwards.path);
  expect(second.job, second.lines.join('\n')).toMatchObject({ status: 'succeeded', digest: image.digest });
  const theirs = new SmallImages(closed.host, account);
  expect(await theirs.read(repository, digest)).toEqual({ digest, body });
  expect(JSON.parse((await theirs.read(repository, tag))?.body ?? '{}')).toMatchObject({ manifests });
});

it('R5 I7 public registries and the place where it lies already are refused', async () => {
  const repository = unique('team/refused');
  await openImages.image(repository, '1', unique('content'));
  const source = await reference(openId, repository, '1');
  const path = `/v1/images/${source.id}/mirrors`;
  expect(await api.post(path, { registryId: 'reg_dockerhub' })).toMatchObject({
    status: 422,
    body: { type: 'urn:slipway:problem:registry-is-public' },
  });
  expect((await api.post(path, { registryId: openId })).status).toBe(422);
  expect((await api.post(path, { platform: 'amd64' })).body.errors).toMatchObject([{ pointer: '/platform' }]);
  expect((await api.post('/v1/images/img_0000000000000000000000000a/mirrors', {})).status).toBe(404);
});

it('R3 a registry that images refer to stays where it is: the answer says how many there are, and the ways on', async () => {
  const repository = unique('team/stays');
  await openImages.image(repository, '1', unique('content'));
  const registryId = await connect(open.host);
  const path = `/v1/registries/${registryId}`;
  const { id } = await reference(registryId, repository, '1');
  const move = () => api.call('PATCH', path, { url: `http://${closed.host}/moved` });
  expect(await move()).toMatchObject({
    status: 409,
    body: {
      type: 'urn:slipway:problem:registry-in-use',
      detail: expect.stringMatching(/^1 images refer to this registry.*POST \/v1\/registries/),
    },
  });
  expect(await api.read(path)).toMatchObject({ url: `http://${open.host}` });
  expect((await api.call('DELETE', `/v1/images/${id}`)).status).toBe(204);
  expect(await move()).toMatchObject({ status: 200, body: { url: `http://${closed.host}/moved` } });
});

it('I7 stopped while it copies: confirmed, and the tag is what it was', async () => {
  const repository = unique('team/slow');
  const pushed = await openImages.image(repository, '1', unique('new'));
  const target = unique('stopped');
  const before = await openImages.image(target, '1', unique('old'));
  let asked = 0;
  const host = await inFront(pushed, async () => {
    asked++;
    await new Promise(() => {});
  });
  const source = await reference(await connect(host), repository, '1');
  const { image, path } = await mirror(source.id, { registryId: openId, repository: target, force: true });
  await expect.poll(() => asked, { timeout: 60_000 }).toBeGreaterThan(0);
  expect((await api.post(`${path}/stop`)).status).toBe(202);
  expect((await api.until(path, settled)).status).toBe('stopped');
  expect(await openImages.read(target, '1')).toEqual({ digest: before.digest, body: before.body });
  expect(await api.read(`/v1/images/${image.id}`)).toMatchObject({ status: 'failed' });
});

it('I7 a source that changes meanwhile: source-changed, and no tag', async () => {
  const repository = unique('team/moving');
  const first = await openImages.image(repository, '1', unique('first'));
  let moved: ReturnType<SmallImages['image']> | undefined;
  const host = await inFront(first, async () => {
    moved ??= openImages.image(repository, '1', unique('second'));
    await moved;
  });
  const source = await reference(await connect(host), repository, '1');
  const target = unique('changed');
  const { image, path } = await mirror(source.id, { registryId: openId, repository: target });
  const { job } = await finished(path);
  expect(job).toMatchObject({ status: 'failed', failure: { code: 'source-changed' } });
  expect(job.failure.message).toContain((await moved)?.digest);
  expect(await openImages.read(target, '1')).toBeUndefined();
  expect(await api.read(`/v1/images/${image.id}`)).toMatchObject({ status: 'failed' });
});

it('I7 a target that appears meanwhile: target-exists, and it stays', async () => {
  const repository = unique('team/racing');
  const pushed = await openImages.image(repository, '1', unique('content'));
  const target = unique('raced');
  let theirs: ReturnType<SmallImages['image']> | undefined;
  const host = await inFront(pushed, async () => {
    theirs ??= openImages.image(target, '1', unique('theirs'));
    await theirs;
  });
  const source = await reference(await connect(host), repository, '1');
  const { path } = await mirror(source.id, { registryId: openId, repository: target });
  const { job } = await finished(path);
  expect(job).toMatchObject({ status: 'failed', failure: { code: 'target-exists' } });
  expect((await openImages.read(target, '1'))?.digest).toBe((await theirs)?.digest);
});

it('I14 an image of a public place is its manifest URL until it is mirrored', async () => {
  const repository = unique('team/place');
  const pushed = await openImages.image(repository, '1', unique('content'));
  // Never connected under this name: nobody's private registry.
  const host = open.host.replace('127.0.0.1', 'localhost');
  const added = await api.post('/v1/images', {
    source: { type: 'reference', url: `${host}/${repository}:1` },
  });
  expect(added.status, JSON.stringify(added.body)).toBe(201);
  expect(await api.read(`/v1/images/${added.body.id}/location`)).toEqual({
    kind: 'manifest',
    uri: `https://${host}/v2/${repository}/manifests/${pushed.digest}`,
    digest: pushed.digest,
  });
  const { image, path } = await mirror(added.body.id, {});
  await finished(path);
  expect(await api.read(`/v1/images/${added.body.id}/location`)).toEqual({
    kind: 'pull',
    uri: `${image.uri.replace(/:1$/, '')}@${pushed.digest}`,
    digest: pushed.digest,
  });
});

it('I7 I14 a mirror of one platform, or of what the tag named later, is another image than the one asked for', async () => {
  const repository = unique('team/others');
  const { index, arm } = await openImages.index(repository, '1', unique('first'));
  const host = open.host.replace('127.0.0.1', 'localhost');
  const added = await api.post('/v1/images', {
    source: { type: 'reference', url: `${host}/${repository}:1` },
  });
  const path = `/v1/images/${added.body.id}`;
  const mirrored = async (body: object) => {
    const { path: job } = await mirror(added.body.id, { repository: unique('mirrored/other'), ...body });
    const { digest } = (await finished(job)).job;
    return { digest, mirror: (await api.read(path)).mirror.digest, at: await api.read(`${path}/location`) };
  };
  const own = { digest: index.digest };
  expect(await mirrored({ platform: 'linux/arm64' })).toMatchObject({
    digest: arm.digest,
    mirror: arm.digest,
    at: { kind: 'manifest', ...own },
  });
  expect(await mirrored({})).toMatchObject({ ...own, mirror: index.digest, at: { kind: 'pull', ...own } });
  const moved = await openImages.image(repository, '1', unique('second'));
  expect(await mirrored({})).toMatchObject({
    digest: moved.digest,
    mirror: moved.digest,
    at: { kind: 'manifest', ...own },
  });
  // What is looked at is the image that was added, not what its tag names by now.
  expect(await api.read(`${path}/inspect`)).toMatchObject(own);
});
