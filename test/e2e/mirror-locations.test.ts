/** I14, I7: where a mirrored image is to be had, and which image that is. */
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../../scripts/docker-registry.ts';
import { SmallImages } from '../../scripts/small-images.ts';
import { apiOf, unique } from './client.ts';
import { reference } from './connected.ts';
import { finished, mirror } from './mirroring.ts';

const cloud = inject('cloud');
const api = apiOf(cloud.apiUrl, cloud.token);

let registry: DockerRegistry;
let images: SmallImages;
beforeAll(async () => {
  registry = await startDockerRegistry();
  images = new SmallImages(registry.host);
});
afterAll(() => registry?.stop());

/** Adds the image by a name of its registry that was never connected: nobody's private one. */
async function publicImage(repository: string): Promise<{ host: string; id: string }> {
  const host = registry.host.replace('127.0.0.1', 'localhost');
  const { id } = await reference({ source: { type: 'reference', url: `${host}/${repository}:1` } });
  return { host, id };
}

it('I14 an image of a public place is its manifest URL until it is mirrored', async () => {
  const repository = unique('team/place');
  const pushed = await images.image(repository, '1', unique('content'));
  const { host, id } = await publicImage(repository);
  expect(await api.read(`/v1/images/${id}/location`)).toEqual({
    kind: 'manifest',
    uri: `https://${host}/v2/${repository}/manifests/${pushed.digest}`,
    digest: pushed.digest,
  });
  const { image, path } = await mirror(id, {});
  await finished(path);
  expect(await api.read(`/v1/images/${id}/location`)).toEqual({
    kind: 'pull',
    uri: `${image.uri.replace(/:1$/, '')}@${pushed.digest}`,
    digest: pushed.digest,
  });
});

it('I7 I14 a mirror of one platform, or of what the tag named later, is another image than the one asked for', async () => {
  const repository = unique('team/others');
  const { index, arm } = await images.index(repository, '1', unique('first'));
  const { id } = await publicImage(repository);
  const path = `/v1/images/${id}`;
  const mirrored = async (body: object) => {
    const { path: job } = await mirror(id, { repository: unique('mirrored/other'), ...body });
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
  const moved = await images.image(repository, '1', unique('second'));
  expect(await mirrored({})).toMatchObject({
    digest: moved.digest,
    mirror: moved.digest,
    at: { kind: 'manifest', ...own },
  });
  // What is looked at is the image that was added, not what its tag names by now.
  expect(await api.read(`${path}/inspect`)).toMatchObject(own);
});
