/** Images of a private registry that is not the deployment's own. */
import { CreateRepositoryCommand, ECRClient } from '@aws-sdk/client-ecr';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEcr } from '../../../local/ecr/ecr.ts';
import { createRegistryClient } from '../../../shared/registry/client.ts';
import { CopyTooLargeError, copyLayers } from '../../../shared/registry/copy-layers.ts';
import { createNetwork } from '../../../shared/registry/network.ts';
import { type CloudWithEndpoint, createCloudWithEndpoint } from '../../local/cloud-with-endpoint.ts';
import { experimentsPlace, type Place } from '../experiments/place.ts';

const secretArn =
  'arn:aws:secretsmanager:us-east-1:000000000000:secret:slipway/local/acme/registries/reg_other-AbCdEf';
const root = { arn: 'arn:aws:iam::000000000000:root', kind: 'root', sessionName: 'root' } as const;
const unlimited = { limitBytes: 1e12, remainingMs: () => 1e9, reserveMs: 0, cancelled: async () => false };

let place: Place;
let other: CloudWithEndpoint;
let credentials: { username: string; password: string };
beforeAll(async () => {
  place = await experimentsPlace();
  other = await createCloudWithEndpoint();
  const ecr = createEcr(other);
  other.serve(ecr);
  await ecr.deploy?.([]);
  await ecr.start?.();
  credentials = { username: 'AWS', password: ecr.passwordFor(root) };
  await place.table.put('acme', 'registries', 'reg_other', {
    id: 'reg_other',
    host: other.registryHost,
    path: '',
    insecure: true,
    title: 'Other',
    type: 'other',
    visibility: 'private',
    username: 'AWS',
    secretArn,
  });
});
afterAll(async () => {
  await place.close();
  await other.close();
});

const clientOf = (host: string, login = credentials) =>
  createRegistryClient({ host, network: createNetwork({ privateHosts: ['127.0.0.1'] }), credentials: login });

/** Puts an image of the own ECR into the other registry too, blob by blob; answers its reference there. */
async function elsewhere(repository: string, instructions: string[] = []): Promise<string> {
  await place.publish(repository, instructions);
  await new ECRClient({ ...other.client() }).send(
    new CreateRepositoryCommand({ repositoryName: `lab/${repository}` }),
  );
  const own = await place.launcher.access.clientFor('acme', place.cloud.registryHost, `acme/${repository}`);
  const manifest = await own.getManifest(`acme/${repository}`, '1');
  const client = clientOf(other.registryHost);
  const from = { client: own, repository: `acme/${repository}`, manifest };
  const to = { client, repository: `lab/${repository}` };
  const copied = await copyLayers(from, to, unlimited, true);
  expect(copied).toBeGreaterThan(0);
  expect(await copyLayers(from, to, unlimited, true)).toBe(0);
  await client.putManifest(to.repository, '1', manifest.mediaType, manifest.body);
  return `${other.registryHost}/lab/${repository}:1`;
}

describe('E2 an image of a private registry', () => {
  it('is pulled by the host with the stored credentials', async () => {
    place.cloud.secrets.set(secretArn, JSON.stringify(credentials));
    const image = await elsewhere('plain');
    const { id } = await place.create({ image, command: ['echo', 'private'] });
    expect(await place.over(id)).toMatchObject({ status: 'succeeded', image: { uri: image } });
    expect(await place.lines(id)).toEqual(['private']);
    expect(await place.codes(id)).not.toContain('image-copying');
  });

  it('with an ENTRYPOINT runs from a copy in the own space, made once', async () => {
    place.cloud.secrets.set(secretArn, JSON.stringify(credentials));
    const image = await elsewhere('with-entrypoint', ['WORKDIR /tmp', 'ENTRYPOINT ["/bin/false"]']);
    const first = await place.create({ image, command: ['pwd'] });
    expect(await place.over(first.id)).toMatchObject({ status: 'succeeded', image: { uri: image } });
    expect(await place.lines(first.id)).toEqual(['/tmp']);
    expect(await place.codes(first.id)).toContain('image-copying');
    const second = await place.create({ image, command: ['pwd'] });
    expect(await place.over(second.id)).toMatchObject({ status: 'succeeded' });
    expect(await place.codes(second.id)).not.toContain('image-copying');
  });

  it('says so when the credentials are refused or gone', async () => {
    const image = await elsewhere('refused');
    const fails = async () => {
      const { id } = await place.create({ image, command: ['true'] });
      return (await place.over(id)).statusReason;
    };
    place.cloud.secrets.set(secretArn, JSON.stringify({ username: 'AWS', password: 'wrong' }));
    expect((await fails())?.code).toBe('image-unauthorized');
    place.cloud.secrets.delete(secretArn);
    expect(await fails()).toMatchObject({
      code: 'image-unauthorized',
      message: expect.stringContaining('Other'),
    });
  });
});

describe('E2 copying', () => {
  it('stops at its limits of size and time, and when nobody wants it any more', async () => {
    place.cloud.secrets.set(secretArn, JSON.stringify(credentials));
    await elsewhere('limits');
    const client = clientOf(other.registryHost);
    const from = { client, repository: 'lab/limits', manifest: await client.getManifest('lab/limits', '1') };
    await place.launcher.repositories.ensure('acme/copies/limits', 'acme');
    const own = await place.launcher.access.clientFor('acme', place.cloud.registryHost, 'acme/copies/limits');
    const to = { client: own, repository: 'acme/copies/limits' };
    await expect(copyLayers(from, to, { ...unlimited, limitBytes: 1000 })).rejects.toThrow(
      /at most 0\.0 GiB/,
    );
    await expect(
      copyLayers(from, to, { ...unlimited, remainingMs: () => 5, reserveMs: 5 }),
    ).rejects.toBeInstanceOf(CopyTooLargeError);
    await expect(copyLayers(from, to, { ...unlimited, cancelled: async () => true })).rejects.toThrow(
      'cancelled',
    );
    expect(await copyLayers(from, to, unlimited)).toBeGreaterThan(0);
  });
});
