/** Deleting an image together with its tag in a private registry (I4), on ECR and on a distribution registry. */

import { BatchGetImageCommand, ECRClient } from '@aws-sdk/client-ecr';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../../scripts/docker-registry.ts';
import { awsConfiguration } from '../../scripts/local-cloud.ts';
import { SmallImages } from '../../scripts/small-images.ts';
import { apiOf, type Json, settled, unique } from './client.ts';
import { connect } from './connected.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const api = apiOf(cloud.apiUrl, cloud.token);
const ecr = new ECRClient(awsConfiguration(cloud));

async function build(registryId: string, repository: string, tag: string, label = 'a'): Promise<Json> {
  const reply = await api.post('/v1/images', {
    source: { type: 'build', dockerfile: `FROM ${tinyBase}\nLABEL purge=${repository}-${label}\n` },
    registryId,
    repository,
    tag,
  });
  expect(reply.status, JSON.stringify(reply.body)).toBe(202);
  const done = await api.until(`/v1/builds/${reply.body.currentBuild.id}`, settled);
  expect(done.status, JSON.stringify(done)).toBe('succeeded');
  return api.read(`/v1/images/${reply.body.id}`);
}

const inEcr = async (repository: string, id: Json) => {
  const { images } = await ecr.send(
    new BatchGetImageCommand({ repositoryName: `acme/${repository}`, imageIds: [id] }),
  );
  return (images ?? []).length > 0;
};
const purge = (image: Json) => api.call('DELETE', `/v1/images/${image.id}?purge=true`);

describe('purge', () => {
  let registry: DockerRegistry;
  let registryId: string;
  beforeAll(async () => {
    registry = await startDockerRegistry();
    registryId = await connect(registry.host);
  });
  afterAll(async () => {
    await api.call('DELETE', `/v1/registries/${registryId}?force=true`);
    await registry.stop();
    ecr.destroy();
  });

  it('I4 without purge the tag stays', async () => {
    const repository = unique('purge');
    const image = await build('reg_private', repository, '1');
    expect((await api.call('DELETE', `/v1/images/${image.id}`)).status).toBe(204);
    expect(await inEcr(repository, { imageTag: '1' })).toBe(true);
  });

  it('I4 in ECR the tag goes, and other tags of the same digest stay', async () => {
    const repository = unique('purge');
    const one = await build('reg_private', repository, '1');
    const two = await build('reg_private', repository, '2');
    expect(two.digest).toBe(one.digest);
    expect((await purge(one)).status).toBe(204);
    expect((await api.get(`/v1/images/${one.id}`)).status).toBe(404);
    expect(await inEcr(repository, { imageTag: '1' })).toBe(false);
    expect(await inEcr(repository, { imageTag: '2', imageDigest: two.digest })).toBe(true);
    expect((await purge(two)).status).toBe(204);
    expect(await inEcr(repository, { imageTag: '2' })).toBe(false);
    expect((await purge(two)).status).toBe(404);
  });

  it('I4 an experiment under way keeps its image', async () => {
    const image = await build('reg_private', unique('purge'), '1');
    const { body: experiment } = await api.post('/v1/experiments', {
      image: image.uri,
      command: ['sleep', '60'],
    });
    // By the index, which lags behind.
    await api.until('/v1/experiments?status=running&limit=100', ({ items }) =>
      items.some((one: Json) => one.id === experiment.id),
    );
    const refused = await purge(image);
    expect([refused.status, refused.body.type]).toEqual([409, 'urn:slipway:problem:image-in-use']);
    expect(refused.body.candidates).toEqual([experiment.id]);
    await api.post(`/v1/experiments/${experiment.id}/stop`);
    await api.until(`/v1/experiments/${experiment.id}`, settled);
    // The end is on the record before it is in the index.
    await expect.poll(async () => (await purge(image)).status).toBe(204);
  });

  it('I4 what is not in a private registry can not be purged', async () => {
    const added = await api.post('/v1/images', { source: { type: 'reference', url: tinyBase } });
    expect([201, 409]).toContain(added.status);
    const id = added.body.id ?? added.body.candidates[0];
    // Another name's image is read-only here: it is the base of every test.
    const refused = await api.call('DELETE', '/v1/images/img_kubeflow-base?purge=true');
    expect(refused.status).toBe(409);
    expect((await api.call('DELETE', `/v1/images/${id}?purge=perhaps`)).status).toBe(422);
  });

  it('I4 a tag that somebody else has moved stays theirs', async () => {
    const repository = unique('moved');
    const image = await build(registryId, repository, '1');
    const images = new SmallImages(registry.host);
    const theirs = await images.image(repository, '1', unique('content'));
    const refused = await purge(image);
    expect([refused.status, refused.body.type]).toEqual([409, 'urn:slipway:problem:tag-moved']);
    expect(refused.body.detail).toContain(theirs.digest);
    expect((await images.read(repository, '1'))?.digest).toBe(theirs.digest);
    expect((await api.get(`/v1/images/${image.id}`)).status).toBe(200);
    expect((await api.call('DELETE', `/v1/images/${image.id}`)).status).toBe(204);
  });

  it('I4 a registry where deletion is switched off says so, and keeps the image', async () => {
    const { host, stop } = await startDockerRegistry({ storage: { delete: { enabled: false } } });
    try {
      const keeping = await connect(host);
      const repository = unique('kept');
      const image = await build(keeping, repository, '1');
      const refused = await purge(image);
      expect([refused.status, refused.body.type]).toEqual([
        422,
        'urn:slipway:problem:registry-refuses-deletion',
      ]);
      expect((await new SmallImages(host).read(repository, '1'))?.digest).toBe(image.digest);
      expect((await api.get(`/v1/images/${image.id}`)).status).toBe(200);
      // R3
      const path = `/v1/registries/${keeping}`;
      expect((await api.call('DELETE', path)).body.type).toBe('urn:slipway:problem:registry-in-use');
      expect((await api.call('DELETE', `/v1/images/${image.id}`)).status).toBe(204);
      expect((await api.call('DELETE', path)).status).toBe(204);
    } finally {
      await stop();
    }
  });

  it('I4 a registry that deletes whole manifests keeps what other tags share', async () => {
    const repository = unique('old');
    const one = await build(registryId, repository, '1');
    const two = await build(registryId, repository, '2');
    const has = async (tag: string) =>
      (
        await fetch(`http://${registry.host}/v2/${repository}/manifests/${tag}`, {
          headers: { accept: '*/*' },
        })
      ).status;
    expect(two.digest).toBe(one.digest);
    const shared = await purge(one);
    expect([shared.status, shared.body.type]).toEqual([409, 'urn:slipway:problem:digest-shared']);
    expect(shared.body.detail).toContain('tagged 2');
    expect(await has('1')).toBe(200);
    const alone = await build(registryId, repository, '3', 'b');
    expect((await purge(alone)).status).toBe(204);
    expect(await has('3')).toBe(404);
    expect(await has('2')).toBe(200);
  });
});
