import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import {
  BatchCheckLayerAvailabilityCommand,
  BatchDeleteImageCommand,
  BatchGetImageCommand,
  DeleteRepositoryCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  ListImagesCommand,
  PutImageCommand,
} from '@aws-sdk/client-ecr';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCloudWithEndpoint } from '../cloud-with-endpoint.ts';
import { acmeRole, ecrPlace, manifestType, sha256 } from './place.ts';

let place: Awaited<ReturnType<typeof ecrPlace>>;
beforeAll(async () => {
  place = await ecrPlace();
});
afterAll(() => place.cloud.close());

describe('ECR repositories', () => {
  test.each(['a', 'x'.repeat(257), 'Acme/app', 'acme//app', 'acme/app-', '-acme', 'acme/a..b'])(
    'refuses the name %s',
    async (name) => {
      await expect(place.create(name)).rejects.toMatchObject({ name: 'InvalidParameterException' });
    },
  );

  test.each(['ab', 'x'.repeat(256), 'acme/team-1/app_2.x'])('takes the name %s', async (name) => {
    const { repository } = await place.create(name);
    expect(repository).toMatchObject({
      repositoryName: name,
      repositoryUri: `${place.cloud.registryHost}/${name}`,
      repositoryArn: `arn:aws:ecr:us-east-1:000000000000:repository/${name}`,
    });
  });

  test('refuses a name twice, more than 5 exclusion filters, and what the caller may not do', async () => {
    await place.create('acme/twice');
    await expect(place.create('acme/twice')).rejects.toMatchObject({
      name: 'RepositoryAlreadyExistsException',
    });
    const filters = Array.from({ length: 6 }, (_, n) => ({ filterType: 'WILDCARD', filter: `a${n}*` }));
    await expect(
      place.create('acme/filters', {
        imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
        imageTagMutabilityExclusionFilters: filters,
      }),
    ).rejects.toMatchObject({ name: 'InvalidParameterException' });
    place.cloud.denied.add(`${acmeRole} ecr:CreateRepository`);
    await expect(place.create('acme/denied')).rejects.toMatchObject({ name: 'AccessDeniedException' });
    place.cloud.denied.clear();
  });

  test('deletes one with images only by force', async () => {
    await place.create('acme/gone');
    await place.pushImage('acme/gone', 'v1', 'x');
    const send = (force?: boolean) =>
      place.client.send(
        new DeleteRepositoryCommand({ repositoryName: 'acme/gone', ...(force && { force }) }),
      );
    await expect(send()).rejects.toMatchObject({ name: 'RepositoryNotEmptyException' });
    await send(true);
    await expect(
      place.client.send(new DescribeRepositoriesCommand({ repositoryNames: ['acme/gone'] })),
    ).rejects.toMatchObject({ name: 'RepositoryNotFoundException' });
  });
});

describe('ECR images', () => {
  test('are described and listed by pages', async () => {
    await place.create('acme/app');
    const one = await place.pushImage('acme/app', 'v1', 'one');
    await place.pushImage('acme/app', 'v2', 'two');
    const described = await place.client.send(
      new DescribeImagesCommand({ repositoryName: 'acme/app', imageIds: [{ imageTag: 'v1' }] }),
    );
    expect(described.imageDetails).toMatchObject([
      { imageDigest: one, imageTags: ['v1'], imageSizeInBytes: 5, imageManifestMediaType: manifestType },
    ]);
    const first = await place.client.send(
      new ListImagesCommand({ repositoryName: 'acme/app', maxResults: 1 }),
    );
    const second = await place.client.send(
      new ListImagesCommand({ repositoryName: 'acme/app', maxResults: 1, nextToken: first.nextToken }),
    );
    expect([...(first.imageIds ?? []), ...(second.imageIds ?? [])].map((id) => id.imageTag)).toEqual([
      'v1',
      'v2',
    ]);
    expect(second.nextToken).toBeUndefined();
    await expect(
      place.client.send(
        new DescribeImagesCommand({ repositoryName: 'acme/app', imageIds: [{ imageTag: 'v9' }] }),
      ),
    ).rejects.toMatchObject({ name: 'ImageNotFoundException' });
  });

  test('are fetched with the reason for each that is not there, at most 100 at once', async () => {
    const get = (imageIds: object[]) =>
      place.client.send(new BatchGetImageCommand({ repositoryName: 'acme/app', imageIds }));
    const { images, failures } = await get([
      { imageTag: 'v1' },
      { imageTag: 'v9' },
      { imageDigest: 'sha256:1' },
      {},
    ]);
    expect(images).toMatchObject([{ imageId: { imageTag: 'v1' }, imageManifestMediaType: manifestType }]);
    expect(failures?.map((one) => one.failureCode)).toEqual([
      'ImageNotFound',
      'InvalidImageDigest',
      'MissingDigestAndTag',
    ]);
    await expect(get(Array.from({ length: 101 }, () => ({ imageTag: 'v1' })))).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
  });

  test('are put by their manifest; the same again is ImageAlreadyExistsException', async () => {
    const manifest = await place.manifestOf('acme/app', 'put');
    const put = () =>
      place.client.send(
        new PutImageCommand({ repositoryName: 'acme/app', imageManifest: manifest, imageTag: 'put' }),
      );
    expect((await put()).image?.imageId).toEqual({ imageDigest: sha256(manifest), imageTag: 'put' });
    await expect(put()).rejects.toMatchObject({ name: 'ImageAlreadyExistsException' });
    await expect(
      place.client.send(
        new PutImageCommand({
          repositoryName: 'acme/app',
          imageManifest: manifest.replace(sha256('put'), sha256('gone')),
        }),
      ),
    ).rejects.toMatchObject({ name: 'LayersNotFoundException' });
  });

  test('I4 go with their last tag, or all tags with the digest', async () => {
    await place.create('acme/tags');
    const digest = await place.pushImage('acme/tags', 'a', 'x');
    await place.pushImage('acme/tags', 'b', 'x');
    const remove = (imageIds: object[]) =>
      place.client.send(new BatchDeleteImageCommand({ repositoryName: 'acme/tags', imageIds }));
    const left = async () =>
      (await place.client.send(new ListImagesCommand({ repositoryName: 'acme/tags' }))).imageIds;
    await remove([{ imageTag: 'a' }]);
    expect(await left()).toEqual([{ imageDigest: digest, imageTag: 'b' }]);
    await remove([{ imageTag: 'b' }]);
    expect(await left()).toEqual([]);
    await place.pushImage('acme/tags', 'a', 'x');
    await place.pushImage('acme/tags', 'b', 'x');
    expect((await remove([{ imageDigest: digest }])).imageIds).toHaveLength(2);
    expect((await remove([{ imageDigest: digest }])).failures).toMatchObject([
      { failureCode: 'ImageNotFound' },
    ]);
  });

  test('layers are known by their digest', async () => {
    const { layers, failures } = await place.client.send(
      new BatchCheckLayerAvailabilityCommand({
        repositoryName: 'acme/app',
        layerDigests: [sha256('one'), sha256('none'), 'x'],
      }),
    );
    expect(layers?.map((one) => one.layerAvailability)).toEqual(['AVAILABLE', 'UNAVAILABLE']);
    expect(failures).toMatchObject([{ failureCode: 'InvalidLayerDigest' }]);
  });
});

describe('ECR after a restart', () => {
  test('has every image, takes the passwords it gave, and no longer has blobs that no image needs', async () => {
    const first = await ecrPlace();
    await first.create('acme/app');
    const digest = await first.pushImage('acme/app', 'v1', 'kept');
    const unused = await first.pushBlob('acme/app', 'unused');
    const folder = join(first.cloud.home, 'registry/blobs/sha256');
    await first.ecr.stop?.();
    const old = new Date(Date.now() - 7_200_000);
    for (const file of readdirSync(folder)) utimesSync(join(folder, file), old, old);
    first.cloud.db.exec(`UPDATE ecr_blobs SET touched_at = ${old.getTime()}`);

    const cloud = await createCloudWithEndpoint(first.cloud.home);
    const second = await ecrPlace(cloud);
    const manifest = await fetch(`http://${cloud.registryHost}/v2/acme/app/manifests/v1`, {
      headers: { authorization: `Basic ${first.token}` },
    });
    expect(manifest.headers.get('docker-content-digest')).toBe(digest);
    expect(readdirSync(folder)).not.toContain(unused.slice('sha256:'.length));
    expect(readdirSync(folder)).toHaveLength(2);
    expect((await second.request('HEAD', `/v2/acme/app/blobs/${unused}`)).status).toBe(404);
    await cloud.close();
  });
});
