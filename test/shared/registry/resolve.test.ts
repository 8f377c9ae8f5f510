import { describe, expect, it } from 'vitest';
import { InvalidReferenceError } from '../../../shared/registry/reference.ts';
import { type KnownImage, type NameSources, resolveImageName } from '../../../shared/registry/resolve.ts';

const images: (KnownImage & { name: string })[] = [
  { id: 'img_1', name: 'iris:v1', uri: '1.dkr.ecr.us-east-1.amazonaws.com/acme/iris:v1', status: 'ready' },
  { id: 'img_2', name: 'team/net:v2', uri: 'quay.io/team/net:v2', status: 'ready' },
  { id: 'img_3', name: 'team/net:v2', uri: 'ghcr.io/team/net:v2', status: 'ready' },
  { id: 'img_4', name: 'iris:next', uri: 'quay.io/acme/iris:next', status: 'pending' },
  { id: 'img_5', name: 'iris:broken', uri: 'quay.io/acme/iris:broken', status: 'failed' },
  { id: 'img_6', name: 'iris:latest', uri: 'quay.io/acme/iris:latest', status: 'ready' },
];

const sources = (
  settings: { registry?: { host: string; path: string }; image?: string } = {},
): NameSources => ({
  imageById: async (id) => images.find((one) => one.id === id),
  imagesByName: async (repository, tag) => images.filter((one) => one.name === `${repository}:${tag}`),
  defaultRegistry: async () => settings.registry,
  defaultImage: async () => settings.image,
});

const resolve = (text: string | undefined, settings = {}) => resolveImageName(text, sources(settings));
const registry = { host: 'quay.io', path: 'acme' };

describe('E3 which image a name means', () => {
  it('an exact id first', async () => {
    expect(await resolve('img_1')).toMatchObject({ rule: 'image-id', imageId: 'img_1', uri: images[0]?.uri });
  });

  it('and never looks elsewhere for an id that there is none of', async () => {
    await expect(resolve('img_none', { registry })).rejects.toMatchObject({
      code: 'image-not-found',
      message: 'There is no image img_none.',
    });
  });

  it("then exactly repository:tag of the organisation's images", async () => {
    expect(await resolve('iris:v1', { registry })).toMatchObject({
      rule: 'repository-tag',
      imageId: 'img_1',
    });
    const latest = await resolve('iris');
    expect(latest).toMatchObject({ rule: 'repository-tag', imageId: 'img_6', requested: 'iris' });
    expect(latest.warnings).toHaveLength(1);
  });

  it('refuses a name that means several images, and lists them', async () => {
    await expect(resolve('team/net:v2')).rejects.toMatchObject({
      code: 'image-ambiguous',
      candidates: ['img_2', 'img_3'],
    });
  });

  it('refuses an image that is not there yet', async () => {
    await expect(resolve('iris:next')).rejects.toThrow('still being built');
    await expect(resolve('img_5')).rejects.toThrow('no successful build');
  });

  it('then the default registry, joined, and without one Docker Hub', async () => {
    expect(await resolve('torch:2', { registry })).toMatchObject({
      rule: 'default-registry',
      uri: 'quay.io/acme/torch:2',
    });
    expect(await resolve('python:3.13')).toMatchObject({
      rule: 'docker-hub',
      uri: 'docker.io/library/python:3.13',
      missed: { repository: 'python', tag: '3.13' },
    });
    expect(await resolve('pytorch/pytorch:2', {})).toMatchObject({ uri: 'docker.io/pytorch/pytorch:2' });
  });

  it('a host is only a first part with a dot or a colon, or localhost', async () => {
    expect(await resolve('nvcr.io/nvidia/pytorch:25.01-py3')).toMatchObject({ rule: 'full-url' });
    expect(await resolve('localhost/one:1')).toMatchObject({ rule: 'full-url', uri: 'localhost/one:1' });
    expect(await resolve('registry/one:1')).toMatchObject({ rule: 'docker-hub' });
    expect(await resolve('docker.io:/team/one:1')).toMatchObject({
      rule: 'full-url',
      uri: 'docker.io/team/one:1',
    });
  });

  it("takes the organisation's default, then the platform's, where none is named", async () => {
    expect(await resolve(undefined, { image: 'iris:v1' })).toMatchObject({
      rule: 'organisation-default',
      imageId: 'img_1',
    });
    const platform = await resolve(undefined);
    expect(platform).toMatchObject({ rule: 'platform-default', uri: 'docker.io/library/python:3.13' });
    expect(platform.requested).toBeUndefined();
  });

  it('a digest stands for itself', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const { uri, warnings } = await resolve(`quay.io/acme/iris@${digest}`);
    expect([uri, warnings]).toEqual([`quay.io/acme/iris@${digest}`, []]);
  });

  it('refuses what is no name', async () => {
    await expect(resolve('Not A Name')).rejects.toBeInstanceOf(InvalidReferenceError);
  });
});
