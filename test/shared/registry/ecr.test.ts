import { CreateRepositoryCommand, ECRClient } from '@aws-sdk/client-ecr';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEcrLogin } from '../../../shared/aws/ecr-login.ts';
import { checkRegistry } from '../../../shared/registry/check.ts';
import { createRegistryClient } from '../../../shared/registry/client.ts';
import { ociManifest } from '../../../shared/registry/media-types.ts';
import type { Credentials, RegistryClient } from '../../../shared/registry/model.ts';
import { createNetwork, type Network } from '../../../shared/registry/network.ts';
import { type EmbeddedCloud, startEmbeddedCloud } from '../../local/embedded-cloud.ts';
import { sha256 } from './servers.ts';

let cloud: EmbeddedCloud;
let ecr: ECRClient;
let network: Network;
let client: RegistryClient;
let credentials: Credentials;

beforeAll(async () => {
  cloud = await startEmbeddedCloud({ stacks: { data: { Resources: {} } } });
  ecr = new ECRClient(cloud.client);
  network = createNetwork({ privateHosts: ['127.0.0.1'] });
  credentials = await createEcrLogin(ecr)();
  client = createRegistryClient({ host: cloud.registryHost, credentials, network });
  await ecr.send(new CreateRepositoryCommand({ repositoryName: 'acme/app' }));
});
afterAll(async () => {
  network?.close();
  ecr?.destroy();
  await cloud?.remove();
});

describe('R8 the deployment’s own ECR', () => {
  it('takes an image and gives it back', async () => {
    const config = Buffer.from(
      JSON.stringify({ os: 'linux', architecture: 'arm64', config: { Cmd: ['sh'] } }),
    );
    const layer = Buffer.from('a layer');
    for (const blob of [config, layer]) await client.putBlob('acme/app', sha256(blob), blob);
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: ociManifest,
        config: {
          mediaType: 'application/vnd.oci.image.config.v1+json',
          digest: sha256(config),
          size: config.length,
        },
        layers: [
          { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: sha256(layer), size: layer.length },
        ],
      }),
    );
    const digest = await client.putManifest('acme/app', 'v1', ociManifest, manifest);
    expect(await client.resolveManifest('acme/app', 'v1')).toMatchObject({
      digest,
      platform: 'linux/arm64',
      sizeBytes: config.length + layer.length,
      config: { command: ['sh'] },
    });
    expect(await client.headManifest('acme/app', digest)).toEqual({ digest, mediaType: ociManifest });
    expect(await client.hasBlob('acme/app', sha256(layer))).toBe(layer.length);
    expect(String(await client.readBlob('acme/app', sha256(layer), 100))).toBe('a layer');
  });

  it('tells a missing image, a missing repository and a wrong password apart', async () => {
    await client.ping();
    await expect(client.getManifest('acme/app', 'none')).rejects.toMatchObject({ code: 'not-found' });
    await expect(client.probePush('acme/none')).rejects.toMatchObject({ code: 'not-found' });
    await client.probePush('acme/app');
    const wrong = { username: 'AWS', password: 'guess' };
    const stranger = createRegistryClient({ host: cloud.registryHost, credentials: wrong, network });
    await expect(stranger.ping()).rejects.toMatchObject({ code: 'bad-credentials' });
  });

  it('R9 passes its check, also for a repository that the first build will create', async () => {
    const url = { host: cloud.registryHost, path: 'acme', insecure: false };
    const subject = { url, visibility: 'private', credentials, createsRepositories: true } as const;
    const check = (repository: string) => checkRegistry(network, { ...subject, repository }, new Date());
    expect(await check('app')).toMatchObject({ ok: true });
    expect(await check('new')).toMatchObject({ ok: true, warnings: [expect.stringContaining('latest')] });
  });
});
