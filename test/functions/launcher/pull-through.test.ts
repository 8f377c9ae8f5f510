/** R10: the launcher and ECR's pull-through cache, with a real registry upstream. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../../../scripts/docker-registry.ts';
import { settingsSchema } from '../../../shared/model/organisation.ts';
import { createRegistryClient } from '../../../shared/registry/client.ts';
import { createNetwork } from '../../../shared/registry/network.ts';
import { experimentsPlace, type Place } from '../experiments/place.ts';
import { withLeaky, writeAdvisory } from './leaky.ts';
import { putVariants } from './variants.ts';

const warning = 'The cache compares this tag with quay.io once in 24 hours. A digest is exact.';

const advisories = mkdtempSync(join(tmpdir(), 'slipway-cached-'));
let upstream: DockerRegistry;
let place: Place;
beforeAll(async () => {
  upstream = await startDockerRegistry();
  place = await experimentsPlace({
    ecr: {
      advisories,
      cached: { quay: true, ecrPublic: true },
      upstreams: new Map([['quay.io', `http://${upstream.host}`]]),
    },
  });
});
afterAll(async () => {
  await place?.close();
  await upstream?.stop();
  rmSync(advisories, { recursive: true, force: true });
});

const publishUpstream = (repository: string, instructions?: string[]) =>
  place.publishTo(upstream.host, `lab/${repository}`, instructions);

const ended = async (asked: object) => {
  const { id } = await place.create(asked);
  return { id, record: await place.over(id) };
};

describe('R10 an image of a public registry that there is a cache of', () => {
  it('is pulled from the cache, and from upstream only once', async () => {
    const digest = await publishUpstream('plain');
    const cache = `${place.cloud.registryHost}/slipway-local/quay/lab/plain`;
    const first = await ended({ image: 'quay.io/lab/plain:1', command: ['echo', 'cached'] });
    expect(first.record).toMatchObject({ status: 'succeeded' });
    expect(first.record.image).toEqual({
      requested: 'quay.io/lab/plain:1',
      rule: 'full-url',
      uri: 'quay.io/lab/plain:1',
      digest,
      pulledFrom: `${cache}@${digest}`,
      warnings: [warning],
    });
    expect(await place.lines(first.id)).toEqual(['cached']);
    const asked = (await upstream.requests()).length;
    const pinned = await ended({ image: `quay.io/lab/plain@${digest}`, command: ['true'] });
    expect(pinned.record).toMatchObject({ status: 'succeeded', image: { pulledFrom: `${cache}@${digest}` } });
    expect(pinned.record.image.warnings).toBeUndefined();
    expect((await ended({ image: 'quay.io/lab/plain:1', command: ['true'] })).record.status).toBe(
      'succeeded',
    );
    expect(await upstream.requests()).toHaveLength(asked);
  });

  it('by tag and digest is brought by its tag, since ECR fetches nothing by digest', async () => {
    const digest = await publishUpstream('both');
    const { record } = await ended({ image: `quay.io/lab/both:1@${digest}`, command: ['true'] });
    expect(record).toMatchObject({ status: 'succeeded', image: { digest, pulledFrom: expect.any(String) } });
    expect(record.image.warnings).toBeUndefined();
  });

  it('with an ENTRYPOINT runs from a copy in the own space, made from the cache', async () => {
    await publishUpstream('with-entrypoint', ['ENTRYPOINT ["/bin/false"]']);
    const { record } = await ended({ image: 'quay.io/lab/with-entrypoint:1', command: ['true'] });
    expect(record.status).toBe('succeeded');
    expect(record.image.pulledFrom).toContain('/acme/copies/quay.io/lab/with-entrypoint@sha256:');
  });

  it.each([
    ['as it is', [], 'slipway-local/quay/lab/index'],
    ['without its ENTRYPOINT', ['ENTRYPOINT ["/bin/false"]'], 'acme/copies/quay.io/lab/entry-index'],
  ])('runs %s from the manifest of an index that was looked at', async (_, more, repository) => {
    const name = repository.split('/').at(-1) ?? '';
    const { index } = await putVariants(
      createRegistryClient({ host: upstream.host, network: createNetwork({ privateHosts: ['127.0.0.1'] }) }),
      `lab/${name}`,
      (instructions) => publishUpstream(name, instructions),
      ['RUN echo plain >/which', ...more],
      ['RUN echo another >/which', ...more],
    );
    const { id, record } = await ended({ image: `quay.io/lab/${name}:1`, command: ['cat', '/which'] });
    expect(record).toMatchObject({ status: 'succeeded', image: { digest: index } });
    expect(record.image.pulledFrom).toContain(`${place.cloud.registryHost}/${repository}@sha256:`);
    expect(record.image.pulledFrom).not.toContain(index);
    expect(await place.lines(id)).toEqual(['plain']);
  });

  it('is scanned in the cache for the launch gate (I13)', async () => {
    writeAdvisory(advisories, 'CVE-2026-1', 'CRITICAL', '2.0');
    await publishUpstream('leaky', withLeaky('1.0'));
    const settings = settingsSchema.parse({ launchGate: 'critical' });
    await place.table.put('acme', 'settings', 'settings', { settings, version: 1 });
    const { record } = await ended({ image: 'quay.io/lab/leaky:1', command: ['true'] });
    await place.table.put('acme', 'settings', 'settings', { settings: settingsSchema.parse({}), version: 2 });
    expect(record.statusReason).toMatchObject({
      code: 'vulnerabilities-found',
      message: expect.stringContaining('quay.io/lab/leaky:1 has known vulnerabilities (1 critical)'),
    });
  });

  it('comes from the registry itself where the cache refuses, which the timeline says', async () => {
    place.cloud.denied.add('* ecr:BatchImportUpstreamImage');
    const { id, record } = await ended({ image: 'public.ecr.aws/no-such-alias-0/none:1', command: ['true'] });
    place.cloud.denied.clear();
    expect(record.status).toBe('failed');
    // Whatever this machine reaches of the outside, it was asked; the cache's refusal is not the reason.
    expect(record.statusReason?.message).toContain('public.ecr.aws');
    expect(record.statusReason?.message).not.toContain('BatchImportUpstreamImage');
    expect(await place.codes(id)).not.toContain('job-created');
  });

  it('is never in the shared cache for an organisation that has credentials for it', async () => {
    await publishUpstream('private');
    await place.table.put('acme', 'registries', 'reg_quay', {
      id: 'reg_quay',
      host: 'quay.io',
      path: 'lab/private',
      insecure: false,
      title: 'Ours',
      type: 'quay',
      visibility: 'private',
      username: 'robot',
      secretArn:
        'arn:aws:secretsmanager:us-east-1:000000000000:secret:slipway/local/acme/registries/reg_quay-AbCdEf',
    });
    const before = (await upstream.requests()).length;
    const { record } = await ended({ image: 'quay.io/lab/private:1', command: ['true'] });
    expect(record).toMatchObject({ status: 'failed', statusReason: { code: 'image-unauthorized' } });
    expect(await upstream.requests()).toHaveLength(before);
  });
});
