/** E3: names without a registry that are no image's, where the registry that is taken instead has none either. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveImage } from '../../../functions/images/resolve.ts';
import { type DockerRegistry, startDockerRegistry } from '../../../scripts/docker-registry.ts';
import { nameLock } from '../../../shared/images/names.ts';
import type { ImageRecord } from '../../../shared/images/record.ts';
import { settingsSchema } from '../../../shared/model/organisation.ts';
import { experimentsPlace, type Place } from '../experiments/place.ts';

let place: Place;
let registry: DockerRegistry;
beforeAll(async () => {
  place = await experimentsPlace();
  registry = await startDockerRegistry();
  for (const tag of ['v1', 'v2']) await known('hello', tag);
  for (const tag of ['1', '2', '3', '4', '5', '6']) await known('many', tag);
  await known('hello-world', 'v7');
});
afterAll(async () => {
  await place?.close();
  await registry?.stop();
});

/** The name of an image of the organisation. */
async function known(repository: string, tag: string): Promise<void> {
  const image = {
    id: `img_${repository}`,
    registryId: 'reg_private',
    registry: 'r.example',
    repository,
    tag,
  };
  const uri = `r.example/acme/${repository}:${tag}`;
  await place.table.transact([nameLock(place.table, 'acme', { ...image, uri } as ImageRecord)]);
}

/** Makes it the registry of names without one. */
async function instead(host: string): Promise<void> {
  await place.table.put('acme', 'registries', 'reg_hub', {
    id: 'reg_hub',
    host,
    path: 'team',
    insecure: true,
    title: 'Hub',
    type: 'other',
    visibility: 'public',
  });
  const settings = settingsSchema.parse({ defaultRegistryId: 'reg_hub' });
  await place.table.put('acme', 'settings', 'settings', { settings, version: 1 });
}

async function reasonFor(image: string | undefined) {
  const { id } = await place.create({ image, command: ['true'] });
  return (await place.over(id)).statusReason;
}

describe('E3 a name that is no image, and not found in the registry taken in its place', () => {
  it('is told with the tags that there are, and what was tried', async () => {
    await instead(registry.host);
    const tried = (uri: string) => `so Slipway tried ${registry.host}/team/${uri}: ${registry.host}/team/`;
    expect(await reasonFor('hello:v9')).toMatchObject({
      code: 'image-not-found',
      message: expect.stringContaining(
        `Your organisation has no image hello:v9 (it has hello with the tags v1, v2), ${tried('hello:v9')}hello does not exist`,
      ),
    });
    expect((await reasonFor('many'))?.message).toContain(
      'many:latest (it has many with the tags 1, 2, 3, 4, 5 and more)',
    );
    expect((await reasonFor('helo:v1'))?.message).toContain(
      `Your organisation has no image helo:v1, ${tried('helo:v1')}`,
    );
  });

  it('is told that nobody typed it where it is the default', async () => {
    await instead(registry.host);
    expect(await reasonFor(undefined)).toMatchObject({
      code: 'image-not-found',
      message: expect.stringMatching(
        /^The request names no image, so the default python:3\.13 applies\. Your organisation has no image python:3\.13, so Slipway tried \S+\/team\/python:3\.13: ./,
      ),
    });
  });

  it('is told the same where that registry cannot be asked', async () => {
    await instead('127.0.0.1:1');
    expect(await reasonFor('hello:v9')).toMatchObject({
      code: 'registry-unavailable',
      message: expect.stringMatching(
        /^Your organisation has no image hello:v9 \(it has hello with the tags v1, v2\), so Slipway tried 127\.0\.0\.1:1\/team\/hello:v9: ./,
      ),
    });
  });

  it('I8 is told the same who only asks what it means', async () => {
    await instead(registry.host);
    const message = expect.stringMatching(
      /^Your organisation has no image hello:v9 \(it has hello with the tags v1, v2\), so Slipway tried \S+\/team\/hello:v9: ./,
    );
    await expect(resolveImage(place.launcher, 'acme', 'hello:v9')).rejects.toMatchObject({
      status: 422,
      code: 'image-not-found',
      message,
      extra: { errors: [{ pointer: '/image', message }] },
    });
  });

  it('nothing of the kind is said of a name with a registry or a digest', async () => {
    await instead(registry.host);
    const digest = `sha256:${'a'.repeat(64)}`;
    for (const image of [`${registry.host}/team/hello:v9`, `hello@${digest}`]) {
      const reason = await reasonFor(image);
      expect(reason?.code).toBe('image-not-found');
      expect(reason?.message).not.toContain('Your organisation');
    }
  });
});
