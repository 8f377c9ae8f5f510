/** What images are made of, asked of the registry that has them (I6). */
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { adminToken } from './admin.ts';
import { apiOf, type Json, settled, unique } from './client.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const api = apiOf(cloud.apiUrl, cloud.token);

describe('I6 inspect', () => {
  let image: Json;
  beforeAll(async () => {
    const { status, body } = await api.post('/v1/images', {
      source: {
        type: 'build',
        dockerfile: [
          `FROM ${tinyBase}`,
          'LABEL team=vision',
          'ENV EPOCHS=3',
          'RUN echo one > /one',
          'WORKDIR /home',
          'USER 1000:1000',
          'EXPOSE 8888',
          'ENTRYPOINT ["/bin/sh"]',
          'CMD ["-c", "true"]',
        ].join('\n'),
      },
      registryId: 'reg_private',
      repository: unique('inspected'),
      tag: 'v1',
    });
    expect(status, JSON.stringify(body)).toBe(202);
    const build = await api.until(`/v1/builds/${body.currentBuild.id}`, settled);
    expect(build.status).toBe('succeeded');
    image = await api.read(`/v1/images/${body.id}`);
  });

  it('I6 shows manifests, layers and configuration of a built image', async () => {
    const found = await api.read(`/v1/images/${image.id}/inspect?platform=linux/amd64&versions=all`);
    expect(found).toMatchObject({
      uri: `${image.uri}@${image.digest}`,
      digest: image.digest,
      platform: 'linux/amd64',
      selfLink: `http://${cloud.registryHost}/v2/acme/${image.repository}/manifests/${image.digest}`,
      config: {
        os: 'linux',
        architecture: 'amd64',
        labels: { team: 'vision' },
        user: '1000:1000',
        workingDir: '/home',
        exposedPorts: ['8888/tcp'],
        entrypoint: ['/bin/sh'],
        command: ['-c', 'true'],
      },
    });
    expect(found.config.env).toContain('EPOCHS=3');
    expect(found.layers.length).toBeGreaterThanOrEqual(2);
    for (const layer of found.layers)
      expect(layer).toMatchObject({
        digest: expect.stringMatching(/^sha256:/),
        mediaType: expect.stringContaining('tar'),
        sizeBytes: expect.any(Number),
      });
    const sum = found.layers.reduce((bytes: number, layer: Json) => bytes + layer.sizeBytes, 0);
    expect(found.sizeBytes).toBeGreaterThan(sum);
    expect(found.manifests[0].document.layers).toHaveLength(found.layers.length);
  });

  it('I6 inspects an image that was not added, with the own credentials', async () => {
    const reply = await api.post('/v1/images/inspect', { url: image.uri });
    expect(reply.status, JSON.stringify(reply.body)).toBe(200);
    expect(reply.body.digest).toBe(image.digest);
  });

  it('I6 says which platform is missing, and shows nothing of other organisations', async () => {
    expect(await api.get(`/v1/images/${image.id}/inspect?platform=linux/s390x`)).toMatchObject({
      status: 422,
      body: { type: 'urn:slipway:problem:image-no-platform', errors: [{ pointer: '?platform' }] },
    });
    const other = apiOf(cloud.apiUrl, await adminToken(cloud, 'globex'));
    expect((await other.get(`/v1/images/${image.id}/inspect`)).status).toBe(404);
    expect(await other.post('/v1/images/inspect', { url: image.uri })).toMatchObject({
      status: 422,
      body: { type: 'urn:slipway:problem:image-not-found' },
    });
  });
});
