/** The catalogue of images that everybody has, and lineage (I9). */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { validate } from '@probelabs/maid';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { run } from '../../scripts/command.ts';
import { commandsOnPath } from '../../scripts/engine/find.ts';
import { apiOf, type Json, settled, unique } from './client.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const api = apiOf(cloud.apiUrl, cloud.token);

async function everything(path: string): Promise<Json[]> {
  const items: Json[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await api.read(
      `${path}${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    items.push(...page.items);
    cursor = page.nextCursor;
    if (cursor === undefined) return items;
  }
}

/** What is wrong with a graph, by a parser of Mermaid's grammar that needs no browser (Mermaid itself is 200 MB). */
const mermaidErrors = (text: string) => {
  const { type, errors } = validate(text, { strict: true });
  expect(type).toBe('flowchart');
  return errors;
};

async function build(dockerfile: string): Promise<Json> {
  const reply = await api.post('/v1/images', {
    source: { type: 'build', dockerfile },
    registryId: 'reg_private',
    repository: unique('lineage'),
    tag: '1',
  });
  expect(reply.status, JSON.stringify(reply.body)).toBe(202);
  await api.until(`/v1/builds/${reply.body.currentBuild.id}`, settled);
  return api.read(`/v1/images/${reply.body.id}`);
}

describe('catalogue', () => {
  it("I9 lists Kubeflow's 17 images with parent, IDE and accelerator", async () => {
    const images = await everything('/v1/images?source=catalogue&limit=5&sort=repository');
    const kubeflow = images.filter((image) => image.catalogue.family === 'kubeflow');
    expect(kubeflow).toHaveLength(17);
    expect(kubeflow.map((image) => image.repository)).toEqual(
      kubeflow.map((image) => image.repository).sort(),
    );
    expect(kubeflow.find((image) => image.id === 'img_kubeflow-jupyter-pytorch-cuda')).toMatchObject({
      uri: 'docker.io/kubeflownotebookswg/jupyter-pytorch-cuda:v1.10.0',
      parentUri: 'docker.io/kubeflownotebookswg/jupyter:v1.10.0',
      source: 'catalogue',
      registryId: 'reg_dockerhub',
      catalogue: {
        ide: 'jupyterlab',
        accelerator: 'cuda',
        deprecated: false,
        alsoAt: ['ghcr.io/kubeflow/kubeflow/notebook-servers/jupyter-pytorch-cuda:v1.10.0'],
      },
    });
    const deprecated = images.filter((image) => image.catalogue.deprecated).map((image) => image.id);
    expect(deprecated).toEqual([
      'img_kubeflow-jupyter-pytorch-gaudi',
      'img_kubeflow-jupyter-pytorch-gaudi-full',
    ]);
    const found = await everything('/v1/images?source=catalogue&q=rstudio');
    expect(found.map((image) => image.id).sort()).toEqual([
      'img_kubeflow-rstudio',
      'img_kubeflow-rstudio-tidyverse',
    ]);
    // They are not among the organisation's own.
    expect(
      (await everything('/v1/images?q=kubeflownotebookswg')).filter((one) => one.source === 'catalogue'),
    ).toEqual([]);
  });

  it('I9 R4 default registries have them, after the own images; no name is shown that nobody published', async () => {
    const hub = await everything('/v1/registries/reg_dockerhub/images?limit=4');
    expect(hub.filter((image) => image.source === 'catalogue')).toHaveLength(17);
    expect(new Set(hub.map((image) => image.id)).size).toBe(hub.length);
    const published = (await everything('/v1/registries/reg_slipway/images?limit=50')).map((one) => one.uri);
    for (const uri of published) {
      const added = await api.post('/v1/images/resolve', { image: uri });
      expect(added.status, JSON.stringify(added.body)).toBe(200);
    }
    expect(await everything('/v1/registries/reg_nvidia/images?source=catalogue&limit=50')).toEqual([]);
    expect((await api.get('/v1/registries/reg_dockerhub/images?cursor=catalogue.nonsense')).status).toBe(422);
  });

  it('I9 by fixed ids, read-only with a clear code', async () => {
    const path = '/v1/images/img_kubeflow-jupyter-scipy';
    expect(await api.read(path)).toMatchObject({ repository: 'kubeflownotebookswg/jupyter-scipy' });
    for (const [method, body] of [
      ['PATCH', { readme: 'x' }],
      ['DELETE', undefined],
    ] as const) {
      const refused = await api.call(method, path, body);
      expect(refused.status).toBe(409);
      expect(refused.body.type).toBe('urn:slipway:problem:catalogue-image');
    }
    expect((await api.post(`${path}/builds`, { dockerfile: 'FROM a:1' })).status).toBe(409);
    expect((await api.get('/v1/images/img_kubeflow-none')).status).toBe(404);
  });

  it('I9 lineage of the catalogue, as data and as a graph that Mermaid reads', async () => {
    const lineage = await api.read('/v1/images/img_kubeflow-jupyter-pytorch-gaudi/lineage');
    expect(lineage.parent.id).toBe('img_kubeflow-jupyter');
    expect(lineage.ancestors.map((one: Json) => one.id ?? one.uri)).toEqual([
      'img_kubeflow-jupyter',
      'img_kubeflow-base',
      'docker.io/library/ubuntu:22.04',
    ]);
    expect(lineage.children.map((one: Json) => one.id)).toEqual(['img_kubeflow-jupyter-pytorch-gaudi-full']);
    expect(mermaidErrors(lineage.mermaid)).toEqual([]);
    for (const [text, spoilt] of [
      ['"]', '"'],
      ['-->', '->'],
      ['["', '['],
    ] as const)
      expect(mermaidErrors(lineage.mermaid.replace(text, spoilt))).not.toEqual([]);
  });

  describe('of built images', () => {
    let parent: Json;
    let child: Json;
    beforeAll(async () => {
      parent = await build(`FROM ${tinyBase}\nLABEL a=b\n`);
      child = await build(`ARG BASE=${parent.uri}\nFROM \${BASE} AS first\nFROM first\nLABEL c=d\n`);
    });

    it('I9 the parent is what the last stage lies on', async () => {
      expect(child).toMatchObject({ status: 'ready', parentUri: parent.uri });
      const lineage = await api.read(`/v1/images/${child.id}/lineage`);
      expect(lineage.ancestors.map((one: Json) => one.uri)).toEqual([parent.uri, tinyBase]);
      expect(lineage.parent).toMatchObject({ id: parent.id });
      expect(lineage.children).toEqual([]);
      const above = await api.read(`/v1/images/${parent.id}/lineage`);
      expect(above.children.map((one: Json) => one.id)).toEqual([child.id]);
      expect(above.childrenComplete).toBe(true);
      expect(mermaidErrors(above.mermaid)).toEqual([]);
    });

    it('I9 a build on an image of the catalogue is its child, wherever it was pulled from', async () => {
      const one = await build('FROM ghcr.io/kubeflow/kubeflow/notebook-servers/rstudio-tidyverse:v1.10.0\n');
      const lineage = await api.read('/v1/images/img_kubeflow-rstudio-tidyverse/lineage');
      expect(lineage.children.map((node: Json) => node.id)).toContain(one.id);
    });
  });
});

describe('publish-images', () => {
  it('I9 R4 publishes the default images, and only then are they shown', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'slipway-publish-'));
    const path = '/v1/registries/reg_slipway/images?source=catalogue';
    expect((await api.read(path)).items).toEqual([]);
    expect((await api.get('/v1/images/img_slipway-python')).status).toBe(404);
    // What the image installs is Debian's to test; here a base stands in whose apt-get does nothing.
    const base = await build(
      `FROM ${tinyBase}\nRUN printf '#!/bin/sh\\n' > /usr/bin/apt-get && chmod +x /usr/bin/apt-get\n`,
    );
    const output = await run(
      process.execPath,
      ['scripts/publish-images.ts', '--image', 'python', '--base', `python=${base.uri}`],
      {
        env: {
          AWS_ENDPOINT_URL: cloud.endpointUrl,
          AWS_REGION: cloud.region,
          AWS_ACCESS_KEY_ID: cloud.accessKeyId,
          AWS_SECRET_ACCESS_KEY: cloud.secretAccessKey,
          SLIPWAY_DOCKER: recordingDocker(folder),
        },
      },
    );
    // Builds and jobs run on x86-64, an operator's machine may be another.
    expect(readFileSync(join(folder, 'calls'), 'utf8')).toMatch(/ build --platform linux\/amd64 .*python:1 /);
    const uri = `${cloud.registryHost}/slipway/python:1`;
    expect(output).toContain(`${uri}: published`);
    const { items } = await api.read(path);
    expect(items).toMatchObject([
      { id: 'img_slipway-python', uri, digest: expect.stringMatching(/^sha256:/) },
    ]);
    expect(await api.read('/v1/images/img_slipway-python')).toMatchObject({ uri });
    expect((await api.post('/v1/images/resolve', { image: 'img_slipway-python' })).body).toMatchObject({
      rule: 'image-id',
      uri,
      digest: items[0].digest,
    });
    await usedDirectly(items[0]);
    await run('docker', ['rmi', '-f', uri]);
    rmSync(folder, { recursive: true });
  });

  /** A `docker` that writes down what it is called with, and does it. Returns its path. */
  function recordingDocker(folder: string): string {
    const docker = process.env.SLIPWAY_DOCKER ?? commandsOnPath('docker')[0];
    const recording = join(folder, 'docker');
    const script = `#!/bin/sh\necho " $*" >> ${folder}/calls\nexec ${docker} "$@"\n`;
    writeFileSync(recording, script, { mode: 0o755 });
    return recording;
  }

  /** I6, I7, I11, I13, I14: without being added to the organisation's own images first. */
  async function usedDirectly({ id, uri, digest }: Json): Promise<void> {
    expect(await api.read(`/v1/images/${id}/inspect`)).toMatchObject({ uri: `${uri}@${digest}`, digest });
    expect(await api.read(`/v1/images/${id}/findings`)).toMatchObject({ status: 'not-scanned' });
    expect(await api.read(`/v1/images/${id}/location`)).toMatchObject({ kind: 'manifest', digest });
    expect(await api.get(`/v1/images/${id}/dockerfile`)).toMatchObject({
      status: 404,
      body: { detail: expect.stringContaining('did not build it') },
    });
    const repository = unique('from-catalogue');
    const mirror = await api.post(`/v1/images/${id}/mirrors`, { repository });
    expect(mirror.status, JSON.stringify(mirror.body)).toBe(202);
    const copied = await api.until(`/v1/builds/${mirror.body.currentBuild.id}`, settled);
    expect(copied, JSON.stringify(copied)).toMatchObject({ status: 'succeeded', digest });
    expect(await api.read(`/v1/images/${mirror.body.id}`)).toMatchObject({
      source: 'mirror',
      status: 'ready',
      uri: `${cloud.registryHost}/acme/${repository}:1`,
    });
    const asked = await api.post(`/v1/images/${id}/validations`, { checks: ['capabilities'] });
    expect(asked.status, JSON.stringify(asked.body)).toBe(202);
    const checked = await api.until(`/v1/builds/${asked.body.id}`, settled);
    expect(checked, JSON.stringify(checked)).toMatchObject({
      kind: 'validation',
      imageId: id,
      status: 'succeeded',
      validation: { digest, capabilities: { tools: expect.any(Object) } },
    });
    const missing = await api.post('/v1/images/img_slipway-none/mirrors', {});
    expect(missing.status).toBe(404);
  }
});
