/** I6 over real servers and a real table: every version of manifest, every platform, and registries that misbehave. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspectionOperations } from '../../../functions/inspections/operations.ts';
import { createImageScans } from '../../../shared/aws/image-scans.ts';
import { serve } from '../../../shared/http/serve.ts';
import { createRegistryClient } from '../../../shared/registry/client.ts';
import { dockerManifest, ociIndex, ociManifest } from '../../../shared/registry/media-types.ts';
import { createNetwork } from '../../../shared/registry/network.ts';
import { putImage, putIndex, signedSchema1 } from '../../shared/registry/images.ts';
import { openedByTests } from '../../shared/registry/opened.ts';
import { type Answer, type Asked, json, sha256 } from '../../shared/registry/servers.ts';
import { startRealTable } from '../../shared/store/real-table.ts';
import { call, memoryLog } from '../event.ts';
import { join } from '../joined.ts';

let place: Awaited<ReturnType<typeof startRealTable>>;
const network = createNetwork({ privateHosts: ['127.0.0.1'] });
/** For who never answers. */
const hurried = createNetwork({ privateHosts: ['127.0.0.1'], timeoutMs: 500 });
beforeAll(async () => {
  place = await startRealTable();
  await join(place.table);
});
afterAll(async () => {
  network.close();
  hurried.close();
  await place.stop();
});

const { registry, server } = openedByTests();
const ecrRegistry = 'ecr.example';
/** Registries of the catalogue, and which server plays them. */
const placeOf = new Map<string, string>();
const handler = (by = network) =>
  serve(
    inspectionOperations({
      table: place.table,
      access: {
        clientFor: async (_organisation, host) =>
          createRegistryClient({ host: placeOf.get(host) ?? host, network: by, insecure: true }),
      },
      scans: { ...createImageScans(), read: async () => ({ status: 'not-scanned', findings: [] }) },
      ecrRegistry,
    }),
    { now: () => new Date('2026-11-21T09:00:00Z'), table: place.table, log: memoryLog() },
  );
const byUrl = (url: string, more: object = {}, by = network) =>
  call(handler(by), { method: 'POST', route: '/v1/images/inspect', body: { url, ...more } });
const byId = (id: string, query: Record<string, string> = {}) =>
  call(handler(), { method: 'GET', route: '/v1/images/{id}/inspect', params: { id }, query });
const findings = (id: string) =>
  call(handler(), { method: 'GET', route: '/v1/images/{id}/findings', params: { id }, query: {} });

const config = {
  Env: ['PATH=/bin'],
  Labels: { team: 'vision' },
  Entrypoint: ['/run'],
  Cmd: ['--help'],
  User: '1000',
  WorkingDir: '/home',
  ExposedPorts: { '8888/tcp': {} },
};
const layerOf = (text: string) => ({ digest: sha256(text), sizeBytes: Buffer.byteLength(text) });

describe('I6 what an image is made of', () => {
  it.each([
    [ociManifest, 'oci'],
    [dockerManifest, 'docker-schema-2'],
  ])('%s: layers, configuration, links', async (type, version) => {
    const store = await registry();
    const digest = putImage(store, 'team/app', 'v1', { type, config });
    const { status, body } = await byUrl(`${store.host}/team/app:v1`);
    expect(status, JSON.stringify(body)).toBe(200);
    const selfLink = `http://${store.host}/v2/team/app/manifests/${digest}`;
    expect(body).toMatchObject({
      uri: `${store.host}/team/app:v1@${digest}`,
      digest,
      mediaType: type,
      selfLink,
      platform: 'linux/amd64',
      platforms: ['linux/amd64'],
      platformDigest: digest,
      layers: [layerOf('amd64 base'), layerOf('amd64 top')],
      config: {
        os: 'linux',
        architecture: 'amd64',
        created: '2026-01-01T00:00:00Z',
        env: ['PATH=/bin'],
        labels: { team: 'vision' },
        entrypoint: ['/run'],
        command: ['--help'],
        user: '1000',
        workingDir: '/home',
        exposedPorts: ['8888/tcp'],
      },
      manifests: [{ version, mediaType: type, digest, selfLink, document: { schemaVersion: 2 } }],
    });
    expect(body.layers[0].mediaType).toMatch(/layer/);
    // Manifest and configuration: nothing is read twice, no layer at all.
    expect(store.asked.map(({ url }) => url)).toEqual([
      '/v2/team/app/manifests/v1',
      `/v2/team/app/blobs/${body.config.digest}`,
    ]);
  });

  it('an index: the platform that is asked for, and the index beside its manifest', async () => {
    const store = await registry();
    const platform = (architecture: string, variant?: string) => ({
      digest: putImage(store, 'app', architecture, { architecture, ...(variant ? { variant } : {}) }),
      platform: { os: 'linux', architecture, ...(variant ? { variant } : {}) },
    });
    const [amd64, arm] = [platform('amd64'), platform('arm', 'v7')];
    const digest = putIndex(store, 'app', 'all', [amd64, arm], ociIndex);
    const found = (await byUrl(`${store.host}/app:all`, { platform: 'linux/arm/v7' })).body;
    expect(found).toMatchObject({
      digest,
      platform: 'linux/arm/v7',
      platforms: ['linux/amd64', 'linux/arm/v7'],
      platformDigest: arm.digest,
      layers: [layerOf('arm base'), layerOf('arm top')],
      config: { os: 'linux', architecture: 'arm', variant: 'v7' },
      manifests: [
        { version: 'oci-index', digest },
        { version: 'oci', digest: arm.digest },
      ],
    });
    expect((await byUrl(`${store.host}/app:all`)).body.platform).toBe('linux/amd64');
    expect(await byUrl(`${store.host}/app:all`, { platform: 'linux/s390x' })).toMatchObject({
      status: 422,
      body: { type: 'urn:slipway:problem:image-no-platform', errors: [{ pointer: '/platform' }] },
    });
    expect((await byUrl(`${store.host}/app:all`, { platform: 'amd64' })).body.errors).toMatchObject([
      { pointer: '/platform' },
    ]);
  });

  it('Docker schema 1: layers the lowest first though the manifest has the newest first, with their sizes', async () => {
    const store = await registry();
    const [base, middle, top] = ['base', 'a middle', 'top'].map((text) => store.putBlob(text));
    const { body, unsigned } = signedSchema1([top ?? '', middle ?? '', base ?? ''], config);
    const type = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
    store.put('old/image', '1', type, body);
    const kept = store.manifests.get('old/image@1');
    const digest = sha256(unsigned);
    // What is signed has the digest of the bytes without signatures; the memory registry knows no such thing.
    const real = await registry(({ url }) =>
      url.includes('/manifests/') && kept
        ? {
            status: 200,
            headers: { 'content-type': type, 'docker-content-digest': digest },
            body: kept.body,
          }
        : undefined,
    );
    for (const text of ['base', 'a middle', 'top']) real.putBlob(text);
    const found = (await byUrl(`${real.host}/old/image:1`)).body;
    expect(found).toMatchObject({
      digest,
      layers: [layerOf('base'), layerOf('a middle'), layerOf('top')],
      sizeBytes: 15,
      config: { env: ['PATH=/bin'], labels: { team: 'vision' }, workingDir: '/home' },
      manifests: [{ version: 'docker-schema-1', digest, document: { schemaVersion: 1 } }],
    });
    expect(found.config.digest).toBeUndefined();
  });

  it('every version that a registry converts to, each asked for by itself', async () => {
    const other = signedSchema1([sha256('amd64 base')], {}).body;
    const type = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
    const store = await registry(({ headers, url }) =>
      url.includes('/manifests/') && headers.accept?.startsWith(type)
        ? { status: 200, headers: { 'content-type': type }, body: other }
        : undefined,
    );
    putImage(store, 'app', 'v1', { type: dockerManifest });
    const versions = async (asked: object) =>
      (await byUrl(`${store.host}/app:v1`, asked)).body.manifests.map(
        ({ version }: { version: string }) => version,
      );
    expect(await versions({})).toEqual(['docker-schema-2']);
    expect(await versions({ versions: 'all' })).toEqual(['docker-schema-2', 'docker-schema-1']);
  });

  it('an image of the table: the digest that it has here, whatever its tag names by now', async () => {
    const store = await registry();
    const digest = putImage(store, 'app', 'v1');
    const image = { uri: `${store.host}/app:v1`, status: 'ready', version: 1 };
    await place.table.put('acme', 'images', 'img_ready', { ...image, id: 'img_ready', digest });
    await place.table.put('acme', 'images', 'img_new', { ...image, id: 'img_new', status: 'pending' });
    putImage(store, 'app', 'v1', { architecture: 'arm64' });
    expect((await byId('img_ready')).body).toMatchObject({ digest, platform: 'linux/amd64' });
    expect(await byId('img_ready', { platform: 'linux/arm64' })).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '?platform' }] },
    });
    expect(await byId('img_new')).toMatchObject({
      status: 409,
      body: { type: 'urn:slipway:problem:image-not-ready' },
    });
    expect((await byId('img_none')).status).toBe(404);
    store.manifests.delete(`app@${digest}`);
    expect(await byId('img_ready')).toMatchObject({
      status: 422,
      body: { type: 'urn:slipway:problem:image-not-found' },
    });
  });

  it("an image of the catalogue: what its tag names now, without being added; the deployment's own once it is published", async () => {
    const store = await registry();
    for (const host of ['docker.io', ecrRegistry]) placeOf.set(host, store.host);
    const [kubeflow, own] = ['img_kubeflow-jupyter-scipy', 'img_slipway-python'];
    const repository = 'kubeflownotebookswg/jupyter-scipy';
    expect(await byId(kubeflow)).toMatchObject({
      status: 422,
      body: { type: 'urn:slipway:problem:image-not-found', errors: [{ pointer: '{id}' }] },
    });
    const digest = putImage(store, repository, 'v1.10.0');
    expect(await byId(kubeflow)).toMatchObject({
      status: 200,
      body: { uri: `docker.io/${repository}:v1.10.0@${digest}`, digest },
    });
    expect((await byId(own)).status).toBe(404);
    expect((await findings(own)).status).toBe(404);
    const published = putImage(store, 'slipway/python', '1');
    expect(await byId(own)).toMatchObject({ status: 200, body: { digest: published } });
    expect((await byId('img_kubeflow-none')).status).toBe(404);

    // I13
    expect(await findings(own)).toMatchObject({ status: 200, body: { status: 'not-scanned' } });
    expect(await findings(kubeflow)).toMatchObject({
      status: 409,
      body: {
        type: 'urn:slipway:problem:image-elsewhere',
        detail: expect.stringContaining(`POST /v1/images/${kubeflow}/mirrors`),
      },
    });
    expect((await findings('img_kubeflow-none')).status).toBe(404);
    placeOf.clear();
  });

  it.each<[string, string, (asked: Asked) => Answer | undefined]>([
    ['hangs', 'registry-unreachable', () => undefined],
    ['answers HTML', 'registry-corrupt', () => ({ status: 200, body: '<html>Welcome</html>' })],
    ['answers nonsense', 'registry-corrupt', () => json(200, { config: 7, layers: 'no' })],
    ['is busy', 'registry-rate-limited', () => ({ status: 429, headers: { 'retry-after': '7' } })],
    [
      'sends a manifest beyond all measure',
      'registry-too-large',
      () => ({ status: 200, body: Buffer.alloc(5_000_000, 32) }),
    ],
    [
      'gives other bytes than those it names',
      'registry-corrupt',
      () => json(200, {}, { 'docker-content-digest': sha256('others') }),
    ],
    [
      'gives other bytes the second time',
      'registry-corrupt',
      ({ url }) =>
        url.endsWith('/v1')
          ? json(200, {
              manifests: [{ digest: sha256('arm'), size: 3, platform: { os: 'linux', architecture: 'arm' } }],
            })
          : json(200, { config: {}, layers: [] }),
    ],
    [
      'turns in a circle',
      'registry-not-a-registry',
      ({ url }) => ({ status: 302, headers: { location: url } }),
    ],
  ])('of a registry that %s: %s', async (what, code, answer) => {
    const { host } = await server(answer);
    const by = what === 'hangs' ? hurried : network;
    const { status, body, headers } = await byUrl(`${host}/app:v1`, {}, by);
    expect({ status, type: body.type }).toEqual({ status: 422, type: `urn:slipway:problem:${code}` });
    expect(headers['retry-after']).toBe(what === 'is busy' ? '7' : undefined);
  });
});
