/** Registries and images as container engines take them, and the bounds of what is taken. */
import { describe, expect, it } from 'vitest';
import { readContents } from '../../../builder/mirror/contents.ts';
import { inspectImage } from '../../../shared/registry/inspect.ts';
import { dockerList, ociIndex, ociManifest } from '../../../shared/registry/media-types.ts';
import { putImage, putIndex, signedSchema1 } from './images.ts';
import { openedByTests } from './opened.ts';
import { type Answer, json, type MemoryRegistry, sha256 } from './servers.ts';

const { registry, server, clientOf } = openedByTests();

const image = (store: MemoryRegistry, architecture: string) =>
  putImage(store, 'app', architecture, { architecture });
const on = (architecture: string) => ({ os: 'linux', architecture });
const within = (digest: string, more: object = {}) => ({ digest, mediaType: ociIndex, ...more });

describe('an index', () => {
  it.each([
    [
      'with entries for no machine',
      [{ platform: {} }, { platform: { os: '', architecture: '' } }, { platform: { os: 'linux' } }],
    ],
    ['with a note that is null', [{ platform: on('s390x'), annotations: { note: null } }]],
    ['with attestations', [{ platform: { os: 'unknown', architecture: 'unknown' } }]],
  ])('%s is its other images', async (_, more) => {
    const store = await registry();
    const amd64 = image(store, 'amd64');
    putIndex(store, 'app', 'all', [
      ...more.map((one) => ({ digest: image(store, 's390x'), ...one })),
      { digest: amd64, platform: on('amd64') },
    ]);
    expect(await clientOf(store).resolveManifest('app', 'all')).toMatchObject({
      platform: 'linux/amd64',
      platformDigest: amd64,
    });
  });

  it('within an index is followed, and its platform counts where its own entries name none', async () => {
    const store = await registry();
    const [amd64, arm64, s390x] = [image(store, 'amd64'), image(store, 'arm64'), image(store, 's390x')];
    const inner = putIndex(store, 'app', 'inner', [{ digest: amd64, platform: on('amd64') }], dockerList);
    const bare = putIndex(store, 'app', 'bare', [{ digest: s390x }]);
    const middle = putIndex(store, 'app', 'middle', [
      { ...within(inner), mediaType: dockerList },
      { digest: arm64, platform: on('arm64') },
    ]);
    const top = putIndex(store, 'app', 'top', [
      within(middle, { platform: {} }),
      within(bare, { platform: on('s390x') }),
    ]);
    const client = clientOf(store);
    const platforms = ['linux/amd64', 'linux/arm64', 'linux/s390x'];
    expect(await client.resolveManifest('app', 'top')).toMatchObject({
      digest: top,
      mediaType: ociIndex,
      platforms,
      platformDigest: amd64,
    });
    expect(await client.resolveManifest('app', 'top', 'linux/arm64')).toMatchObject({
      platformDigest: arm64,
    });
    expect(await client.resolveManifest('app', 'top', 'linux/s390x')).toMatchObject({
      platformDigest: s390x,
    });
    expect((await inspectImage(client, 'app', 'top')).manifests.map(({ digest }) => digest)).toContain(inner);
    expect((await readContents(client, 'app', 'top', 'linux/arm64')).top.digest).toBe(arm64);
  });

  it('whose entries name no platform is what their configurations say', async () => {
    const store = await registry();
    const chart = store.put(
      'app',
      'chart',
      ociManifest,
      JSON.stringify({
        config: { mediaType: 'application/vnd.cncf.helm.config.v1+json', digest: sha256('x'), size: 1 },
        layers: [],
      }),
    );
    const [arm64, amd64] = [image(store, 'arm64'), image(store, 'amd64')];
    const digest = putIndex(store, 'app', 'all', [{ digest: chart }, { digest: arm64 }, { digest: amd64 }]);
    expect(await clientOf(store).resolveManifest('app', 'all')).toMatchObject({
      digest,
      platforms: ['linux/arm64', 'linux/amd64'],
      platform: 'linux/amd64',
      platformDigest: amd64,
    });
    expect((await readContents(clientOf(store), 'app', digest, 'linux/arm64')).top.digest).toBe(arm64);
    const none = { code: 'no-platform' };
    const [client, riscv64] = [clientOf(store), 'linux/riscv64'];
    await expect(client.resolveManifest('app', 'all', riscv64)).rejects.toMatchObject(none);
    await expect(readContents(client, 'app', digest, riscv64)).rejects.toMatchObject(none);
  });

  it.each([
    [
      'of 800 platforms',
      (digest: string) => Array.from({ length: 800 }, (_, i) => ({ digest, platform: on(`a${i}`) })),
    ],
    [
      'with an operating system of 450 kB',
      (digest: string) => [{ digest, platform: { os: 'x'.repeat(450_000), architecture: 'amd64' } }],
    ],
    [
      'with a control character in its variant',
      (digest: string) => [{ digest, platform: { ...on('arm'), variant: 'v7\n' } }],
    ],
    [
      'of 30 indexes',
      (digest: string, store: MemoryRegistry) =>
        Array.from({ length: 30 }, (_, i) =>
          within(putIndex(store, 'app', `i${i}`, [{ digest, platform: on(`a${i}`) }])),
        ),
    ],
  ])('%s is refused', async (_, entries) => {
    const store = await registry();
    putIndex(store, 'app', 'all', entries(image(store, 'amd64'), store));
    const error = await clientOf(store)
      .resolveManifest('app', 'all')
      .catch((one: unknown) => one);
    expect(error).toMatchObject({ code: 'corrupt' });
    expect((error as Error).message.length).toBeLessThan(500);
    expect(store.asked.length).toBeLessThan(30);
  });

  it('of many platforms is refused in few words where the one asked for is not there', async () => {
    const store = await registry();
    const digest = image(store, 'amd64');
    putIndex(
      store,
      'app',
      'all',
      Array.from({ length: 90 }, (_, i) => ({ digest, platform: on(`a${i}`.padEnd(60, 'x')) })),
    );
    const error = await clientOf(store)
      .resolveManifest('app', 'all', 'linux/none')
      .catch((one: unknown) => one);
    expect(error).toMatchObject({ code: 'no-platform', message: expect.stringContaining('and 70 more') });
  });
});

describe('sizes', () => {
  const layers = (...sizes: number[]) =>
    sizes.map((size, i) => ({ mediaType: 'x', digest: sha256(`layer ${i}`), size }));
  it.each([
    ['twice 2^52', [2 ** 52, 2 ** 52]],
    ['the largest number, and one', [Number.MAX_SAFE_INTEGER, 1]],
    ['a thousand large ones', Array(1000).fill(2 ** 44)],
  ])('that are too many together: %s', async (_, sizes) => {
    const store = await registry();
    const config = {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: store.putBlob('{}'),
      size: 2,
    };
    const digest = store.put('app', 'v1', ociManifest, JSON.stringify({ config, layers: layers(...sizes) }));
    await expect(clientOf(store).resolveManifest('app', 'v1')).rejects.toMatchObject({ code: 'corrupt' });
    await expect(readContents(clientOf(store), 'app', digest, undefined)).rejects.toMatchObject({
      code: 'corrupt',
    });
  });

  it('that only the registry knows', async () => {
    const { body } = signedSchema1([sha256('a'), sha256('b')], {});
    const type = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
    const huge = await server(({ url }): Answer => {
      if (!url.includes('/blobs/')) return { status: 200, body, headers: { 'content-type': type } };
      return { status: 200, headers: { 'content-length': String(2 ** 53) } };
    });
    await expect(clientOf(huge).resolveManifest('app', 'v1')).rejects.toMatchObject({ code: 'corrupt' });
  });
});

describe('HEAD', () => {
  it.each([400, 403, 404, 405, 500, 501])(
    'that is answered with %i is asked again by GET',
    async (status) => {
      const store = await registry(({ method }) =>
        method === 'HEAD' ? { status, headers: { 'content-type': 'text/html' } } : undefined,
      );
      const digest = putImage(store, 'app', 'v1');
      const client = clientOf(store);
      expect(await client.headManifest('app', 'v1')).toEqual({ digest, mediaType: ociManifest });
      expect(await client.headManifest('app', 'none')).toBeUndefined();
      expect(await client.hasBlob('app', store.putBlob('of 11 bytes'))).toBe(11);
      expect(await client.hasBlob('app', sha256('nothing'))).toBeUndefined();
    },
  );

  it('that the registry itself answers with 404, or that comes too often, is not', async () => {
    const store = await registry();
    expect(await clientOf(store).headManifest('app', 'none')).toBeUndefined();
    expect(store.asked).toHaveLength(1);
    const busy = await server(() => ({ status: 429 }));
    await expect(clientOf(busy).headManifest('app', 'none')).rejects.toMatchObject({ code: 'rate-limited' });
    expect(busy.asked).toHaveLength(1);
  });

  it("that is refused has the words of GET's refusal", async () => {
    const store = await registry(() => json(403, { errors: [{ code: 'DENIED', message: 'pay first' }] }));
    await expect(clientOf(store).headManifest('app', 'v1')).rejects.toMatchObject({
      message: expect.stringContaining('pay first'),
    });
  });
});

describe('what a registry leaves out or empty', () => {
  it.each([
    ['no digest', {}],
    ['an empty digest', { 'docker-content-digest': '' }],
    ['no type', { 'content-type': '' }],
    ['another type', { 'content-type': 'text/plain; charset=utf-8' }],
    ['part of a type', { 'content-type': 'application/vnd' }],
  ])('%s', async (_, headers) => {
    const kept = await registry();
    const digest = putImage(kept, 'app', 'v1');
    const store = await registry(({ method, url }) => {
      const manifest = kept.manifests.get(`app@${url.split('/').at(-1)}`);
      if (!url.includes('/manifests/')) return undefined;
      if (method === 'PUT') return { status: 201, headers };
      return manifest && { status: 200, headers, body: manifest.body };
    });
    for (const [name, body] of kept.blobs) store.blobs.set(name, body);
    const client = clientOf(store);
    expect((await client.headManifest('app', 'v1'))?.digest).toBe(digest);
    expect(await client.resolveManifest('app', 'v1')).toMatchObject({ digest, mediaType: ociManifest });
    const { body = Buffer.of() } = kept.manifests.get('app@v1') ?? {};
    expect(await client.putManifest('app', 'v2', ociManifest, body)).toBe(digest);
  });

  it('fields of a configuration, and a command in one text', async () => {
    const store = await registry();
    const put = (fields: object) => {
      const text = JSON.stringify(fields);
      const config = { mediaType: '', digest: store.putBlob(text), size: text.length };
      store.put('app', 'v1', ociManifest, JSON.stringify({ mediaType: '', config, layers: [] }));
      return clientOf(store).resolveManifest('app', 'v1');
    };
    expect(
      await put({
        os: '',
        architecture: '',
        variant: '',
        config: { Cmd: 'run', Env: ['A=1', null], Labels: { a: null } },
      }),
    ).toMatchObject({
      platform: 'linux/amd64',
      config: { command: ['run'], env: ['A=1', ''], labels: { a: '' } },
    });
    expect(await put({ os: 'Linux', architecture: 'ARM64' })).toMatchObject({ platform: 'linux/arm64' });
  });
});
