/** The stage's own certificate authorities on the build host: in what the builder asks itself, and in its engine. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { copyImage, tagImage } from '../../builder/mirror/mirror.ts';
import { createRegistryView } from '../../builder/pushed.ts';
import { networkOf, trustAuthorities } from '../../builder/registries.ts';
import type { State } from '../../builder/work.ts';
import { type DockerRegistry, startDockerRegistry } from '../../scripts/docker-registry.ts';
import type { MirrorSpec } from '../../shared/model/build-spec.ts';
import { createRegistryClient } from '../../shared/registry/client.ts';
import { sha256Of } from '../../shared/registry/digest.ts';
import { ociManifest } from '../../shared/registry/media-types.ts';
import { certificateAuthority } from '../shared/registry/servers.ts';
import { smallBuild } from './small-build.ts';

const certificates = join(import.meta.dirname, '../shared/registry/certificate');
const tls = { certificate: join(certificates, 'certificate.pem'), key: join(certificates, 'key.pem') };
const trusting = { privateRegistries: ['127.0.0.1'], certificateAuthorities: certificateAuthority };
const { certificateAuthorities: _, ...distrusting } = trusting;

let registry: DockerRegistry;
let digest: string;
let folder: string;
beforeAll(async () => {
  registry = await startDockerRegistry({ tls });
  digest = await pushImage();
  folder = await mkdtemp(join(tmpdir(), 'slipway-authorities-'));
  await writeFile(join(folder, 'config.json'), '{"auths":{}}');
});
afterAll(async () => {
  await registry?.stop();
  await rm(folder, { recursive: true });
});

const clientOf = (host: string) => createRegistryClient({ host, network: networkOf(trusting) });

async function pushImage(): Promise<string> {
  const client = clientOf(registry.host);
  const blob = async (text: string, mediaType: string) => {
    const body = Buffer.from(text);
    await client.putBlob('app', sha256Of(body), body);
    return { mediaType, digest: sha256Of(body), size: body.length };
  };
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: ociManifest,
    config: await blob(
      '{"os":"linux","architecture":"amd64","config":{}}',
      'application/vnd.oci.image.config.v1+json',
    ),
    layers: [await blob('a layer', 'application/vnd.oci.image.layer.v1.tar+gzip')],
  });
  return client.putManifest('app', '1', ociManifest, Buffer.from(manifest));
}

function mirror(trust: Pick<MirrorSpec, 'privateRegistries' | 'certificateAuthorities'>, target: string) {
  const state: State<MirrorSpec> = {
    spec: {
      version: 1,
      kind: 'mirror',
      organisation: 'acme',
      buildId: 'bld_1',
      resultKey: 'result.json',
      ...trust,
      source: { host: registry.host, repository: 'app', tag: '1', digest },
      target: { host: target, repository: 'copied', tag: '1' },
      force: false,
    },
    client: '',
    cacheExists: false,
    cacheMode: 'inline',
    timingsMs: {},
  };
  const work = { folder, docker: { config: folder }, dockerfile: '', context: '', secrets: folder };
  const aws = () => Promise.reject(new Error('nothing is asked of AWS'));
  return copyImage(work, state, aws).then(() => tagImage(work, state, aws));
}

it('I7 R9 mirrors between registries whose authority only the stage names', async () => {
  const target = await startDockerRegistry({ tls });
  try {
    await expect(mirror(distrusting, target.host)).rejects.toMatchObject({
      failure: { code: 'registry-untrusted', message: expect.stringContaining('self-signed certificate') },
    });
    expect(await mirror(trusting, target.host)).toMatchObject({ outcome: 'mirrored', digest });
    expect(await clientOf(target.host).headManifest('copied', '1')).toMatchObject({ digest });
  } finally {
    await target.stop();
  }
});

it('B6 R9 looks up bases and what was pushed in such a registry', async () => {
  const view = createRegistryView(folder, networkOf(trusting));
  expect(await view.has(`${registry.host}/app:1`)).toBe(true);
  expect(await view.findBase({ host: registry.host, repository: 'app', tag: '2' })).toMatchObject({
    why: 'missing',
  });
  expect(await createRegistryView(folder, networkOf(distrusting)).has(`${registry.host}/app:1`)).toBe(false);
});

it("B6 R9 the engine of a host of Slipway's own trusts them for the registries of the build, nobody else's does", async () => {
  const spec = smallBuild('registry.internal', {
    ...trusting,
    dockerfile:
      'FROM base.internal:5000/python:3 AS a\nFROM scratch\nCOPY --from=a / /\nCOPY --from=files.internal/x:1 / /\n',
    cache: '000000000000.dkr.ecr.us-east-1.amazonaws.com/acme/app:slipway-cache',
  });
  const certs = join(folder, 'certs.d');
  await trustAuthorities({ BUILDER_HOST: 'shared' }, spec, certs);
  await trustAuthorities(
    { BUILDER_HOST: 'dedicated' },
    { ...spec, certificateAuthorities: undefined },
    certs,
  );
  await expect(readdir(certs)).rejects.toMatchObject({ code: 'ENOENT' });
  await trustAuthorities({ BUILDER_HOST: 'dedicated' }, spec, certs);
  expect((await readdir(certs)).sort()).toEqual([
    '000000000000.dkr.ecr.us-east-1.amazonaws.com',
    'base.internal:5000',
    'files.internal',
    'registry.internal',
  ]);
  expect(await readFile(join(certs, 'base.internal:5000', 'slipway.crt'), 'utf8')).toBe(certificateAuthority);
});
