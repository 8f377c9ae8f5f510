/** I7: mirrors between real registries: the deployment's own, and the distribution registry with and without a login. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../../scripts/docker-registry.ts';
import { SmallImages } from '../../scripts/small-images.ts';
import { apiOf, type Json, settled, unique } from './client.ts';
import { connect, reference } from './connected.ts';
import { finished, mirror } from './mirroring.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const api = apiOf(cloud.apiUrl, cloud.token);
const account = { username: 'robot', password: 'open sesame' };

let open: DockerRegistry;
let closed: DockerRegistry;
let openId: string;
let closedId: string;
let openImages: SmallImages;
beforeAll(async () => {
  [open, closed] = await Promise.all([startDockerRegistry(), startDockerRegistry({ account })]);
  openId = await connect(open.host);
  closedId = await connect(closed.host, account);
  openImages = new SmallImages(open.host);
});
afterAll(() => Promise.all([open?.stop(), closed?.stop()]));

it('I7 every platform, digests byte by byte, into a registry with a login; a line for each layer', async () => {
  const repository = unique('team/all');
  const { index } = await openImages.index(repository, '1', unique('content'));
  const source = await reference({ registryId: openId, repository, tag: '1' });
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
  expect(items.map((event: Json) => event.message)).toContain('Copying layers.');
});

it('I7 one platform, from a registry with a login into the own space', async () => {
  const repository = unique('team/one');
  const { arm } = await new SmallImages(closed.host, account).index(repository, '1', unique('content'));
  const source = await reference({ registryId: closedId, repository, tag: '1' });
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
  const source = await reference({ registryId: openId, repository, tag: '1' });
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

  const source = await reference({ registryId: openId, repository, tag: '1' });
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
  const source = await reference({ registryId: openId, repository, tag: '1' });
  const path = `/v1/images/${source.id}/mirrors`;
  expect(await api.post(path, { registryId: 'reg_dockerhub' })).toMatchObject({
    status: 422,
    body: { type: 'urn:slipway:problem:registry-is-public' },
  });
  expect((await api.post(path, { registryId: openId })).status).toBe(422);
  expect((await api.post(path, { platform: 'amd64' })).body.errors).toMatchObject([{ pointer: '/platform' }]);
  expect((await api.post('/v1/images/img_0000000000000000000000000a/mirrors', {})).status).toBe(404);
});
