import { describe, expect, it } from 'vitest';
import { dockerList, dockerManifest, ociManifest } from '../../../shared/registry/media-types.ts';
import { putImage, putIndex, signedSchema1 } from './images.ts';
import { openedByTests } from './opened.ts';
import { type Answer, sha256 } from './servers.ts';

const { registry, server, clientOf } = openedByTests();

describe('I2 what an image name points at', () => {
  it('reads a configuration whose fields are null, as engines write for images from scratch', async () => {
    const store = await registry();
    const text = JSON.stringify({
      os: null,
      architecture: null,
      variant: null,
      created: null,
      config: { Env: ['A=1'] },
    });
    const config = {
      mediaType: 'application/vnd.docker.container.image.v1+json',
      digest: store.putBlob(text),
      size: text.length,
    };
    store.put(
      'app',
      'v1',
      dockerManifest,
      JSON.stringify({ schemaVersion: 2, mediaType: dockerManifest, config, layers: [] }),
    );
    expect(await clientOf(store).resolveManifest('app', 'v1')).toMatchObject({
      platform: 'linux/amd64',
      config: { env: ['A=1'] },
    });
  });

  it.each([ociManifest, dockerManifest])(
    'reads %s: digest, platform, size, layers, configuration',
    async (type) => {
      const store = await registry();
      const config = {
        Env: ['A=1'],
        Entrypoint: ['/run'],
        Cmd: null,
        User: '1000',
        ExposedPorts: { '8888/tcp': {} },
      };
      const digest = putImage(store, 'team/app', 'v1', { type, config });
      const found = await clientOf(store).resolveManifest('team/app', 'v1');
      expect(found).toMatchObject({
        digest,
        mediaType: type,
        platforms: ['linux/amd64'],
        platform: 'linux/amd64',
        platformDigest: digest,
        config: { env: ['A=1'], entrypoint: ['/run'], command: [], user: '1000', exposedPorts: ['8888/tcp'] },
      });
      const configSize = store.blobs.get(found.configDigest ?? '')?.length ?? 0;
      expect(found.sizeBytes).toBe(configSize + 'amd64 base'.length + 'amd64 top'.length);
      expect((await clientOf(store).resolveManifest('team/app', digest)).digest).toBe(digest);
    },
  );

  it('chooses the platform of an index, and leaves attestations out', async () => {
    const store = await registry();
    const image = (architecture: string, variant?: string) => ({
      digest: putImage(store, 'app', `${architecture}${variant ?? ''}`, {
        architecture,
        ...(variant ? { variant } : {}),
      }),
      platform: { os: 'linux', architecture, ...(variant ? { variant } : {}) },
    });
    const [arm7, arm64, amd64] = [image('arm', 'v7'), image('arm64'), image('amd64')];
    const attestation = { digest: arm7.digest, platform: { os: 'unknown', architecture: 'unknown' } };
    const digest = putIndex(store, 'app', 'all', [arm7, arm64, amd64, attestation], dockerList);
    const resolve = (platform?: string) => clientOf(store).resolveManifest('app', 'all', platform);
    expect(await resolve()).toMatchObject({
      digest,
      platform: 'linux/amd64',
      platformDigest: amd64.digest,
      platforms: ['linux/arm/v7', 'linux/arm64', 'linux/amd64'],
    });
    expect(await resolve('linux/arm64/v8')).toMatchObject({ platformDigest: arm64.digest });
    expect(await resolve('linux/arm/v7')).toMatchObject({ platformDigest: arm7.digest });
    await expect(resolve('windows/amd64')).rejects.toMatchObject({
      code: 'no-platform',
      message:
        'The image does not support windows/amd64; it supports linux/arm/v7, linux/arm64, linux/amd64.',
    });
    await expect(resolve('nonsense')).rejects.toMatchObject({ code: 'no-platform' });
  });

  it('takes the only platform there is unless another was asked for', async () => {
    const store = await registry();
    putImage(store, 'app', 'arm', { architecture: 'arm64', variant: 'v8' });
    expect((await clientOf(store).resolveManifest('app', 'arm')).platform).toBe('linux/arm64/v8');
    await expect(clientOf(store).resolveManifest('app', 'arm', 'linux/amd64')).rejects.toMatchObject({
      code: 'no-platform',
    });
  });

  it("reads Docker's schema 1, whose digest is over what was signed", async () => {
    const store = await registry();
    const [base, top] = [store.putBlob('base layer'), store.putBlob('top')];
    const { body, unsigned } = signedSchema1([top, base, base], { Cmd: ['sh'] });
    const type = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
    const digest = sha256(unsigned);
    store.put('old/image', '1', type, body);
    store.manifests.set(`old/image@${digest}`, { type, body: Buffer.from(body) });
    const plain = await server(
      ({ url }): Answer =>
        url.endsWith(digest) || url.endsWith('/1')
          ? { status: 200, headers: { 'content-type': type }, body }
          : { status: 200, headers: { 'content-length': '3' }, body: 'abc' },
    );
    for (const reference of ['1', digest])
      expect(await clientOf(plain).resolveManifest('old/image', reference)).toMatchObject({
        digest,
        layers: [{ digest: base }, { digest: top }],
        sizeBytes: 6,
        config: { command: ['sh'] },
      });
  });

  it('says what is missing and what is no image', async () => {
    const store = await registry();
    await expect(clientOf(store).resolveManifest('app', 'none')).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('manifest unknown'),
    });
    store.put(
      'chart',
      '1',
      ociManifest,
      JSON.stringify({
        config: { mediaType: 'application/vnd.cncf.helm.config.v1+json', digest: sha256('x'), size: 1 },
        layers: [],
      }),
    );
    await expect(clientOf(store).resolveManifest('chart', '1')).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('helm'),
    });
    for (const body of ['not json', '[]', '{"config":1}', '{"manifests":[{"digest":"x"}]}']) {
      store.put('bad', '1', ociManifest, body);
      await expect(clientOf(store).resolveManifest('bad', '1')).rejects.toMatchObject({ code: 'corrupt' });
    }
  });
});
