import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { push } from '../../builder/phases/push.ts';
import { type State, workOf } from '../../builder/work.ts';
import { type BuildSpec, buildResultSchema } from '../../shared/model/build-spec.ts';
import { cacheTag, lifecyclePolicy } from '../../shared/model/layer-cache.ts';
import { putImage } from '../shared/registry/images.ts';
import {
  type Answer,
  type Asked,
  json,
  type MemoryRegistry,
  startMemoryRegistry,
} from '../shared/registry/servers.ts';
import { environmentWith, smallBuild } from './small-build.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-push-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Pushes with a client that says it pushed, to a registry that already has the image. */
async function pushed(
  before?: (asked: Asked) => Answer | undefined,
  cached?: (registry: MemoryRegistry) => void,
  more: Partial<State<BuildSpec>> = {},
  spec: Partial<BuildSpec> = {},
) {
  const registry = await startMemoryRegistry(before);
  try {
    const digest = putImage(registry, 'acme/x', '1');
    cached?.(registry);
    const client = join(folder, 'docker');
    writeFileSync(client, `#!/bin/sh\necho '1: digest: ${digest} size: 528'\n`);
    chmodSync(client, 0o755);
    writeFileSync(join(folder, 'config.json'), '{"auths":{}}');
    const state: State<BuildSpec> = {
      spec: smallBuild(registry.host, spec),
      client,
      cacheExists: false,
      cacheMode: 'registry',
      timingsMs: {},
      ...more,
    };
    const renewed = { username: 'AWS', password: 'renewed' };
    const aws = async () => ({
      ecrCredentials: async () => renewed,
      registryCredentials: async () => renewed,
    });
    const work = { ...workOf(environmentWith('registry')), docker: { config: folder } };
    const result = await push(work, state, aws, async () => undefined);
    // As it travels.
    return {
      registry,
      digest,
      config: readFileSync(join(folder, 'config.json'), 'utf8'),
      result: buildResultSchema.parse(JSON.parse(JSON.stringify(result))),
    };
  } finally {
    await registry.stop();
  }
}

test('B1 what was pushed was pushed, whatever the registry says of it afterwards', async () => {
  const { digest, result } = await pushed(({ url }) =>
    url === '/v2/' ? undefined : json(500, { errors: [{ code: 'UNKNOWN' }] }),
  );
  expect(result).toMatchObject({ outcome: 'succeeded', digest });
  expect(result).not.toHaveProperty('sizeBytes');
});

test('B1 size and platform are asked for again', async () => {
  let refusals = 2;
  const { digest, result } = await pushed(({ url }) =>
    url.includes('/manifests/') && refusals-- > 0 ? json(503, {}) : undefined,
  );
  expect(result).toMatchObject({ outcome: 'succeeded', digest, platform: 'linux/amd64' });
  expect(result).toHaveProperty('sizeBytes');
});

test('R9 a registry that asks to wait is not asked again', async () => {
  let refusals = 0;
  const { digest, result } = await pushed(({ url }) =>
    url.includes('/manifests/sha256:') && refusals++ === 0 ? json(429, {}) : undefined,
  );
  expect(result).toMatchObject({ outcome: 'succeeded', digest });
  expect(result).not.toHaveProperty('sizeBytes');
});

test('B9 a layer cache gets a tag of its own, by which ECR drops it once another has replaced it', async () => {
  let cache = '';
  const { registry, result } = await pushed(undefined, (one) => {
    cache = putImage(one, 'acme/x', 'slipway-cache');
  });
  expect(result.outcome).toBe('succeeded');
  const [tag = '', ...others] = [...registry.manifests.keys()]
    .map((name) => name.split('@')[1] ?? '')
    .filter((reference) => reference.startsWith('slipway-cached-'));
  expect(others).toEqual([]);
  expect(cache.slice('sha256:'.length)).toContain(tag.slice('slipway-cached-'.length));
  const [{ selection }] = JSON.parse(lifecyclePolicy).rules;
  const [pattern] = selection.tagPatternList;
  const matches = (one: string) => new RegExp(`^${pattern.replace('*', '.*')}$`).test(one);
  expect([tag, cacheTag, '1', 'slipway-copy-1'].map(matches)).toEqual([true, false, false, false]);
});

test.each([
  [0.1, '{"auths":{}}'],
  [11, `{"auths":{"127.0.0.1:1":{"auth":"${Buffer.from('AWS:renewed').toString('base64')}"}}}`],
])(
  'B1 credentials of %s hours are fetched again before the push only where they are old',
  async (hours, config) => {
    const loggedInAt = new Date(Date.now() - hours * 3_600_000).toISOString();
    const registries = ['ecr' as const].map((kind) => ({ kind, host: '127.0.0.1:1' }));
    const { result, ...left } = await pushed(undefined, undefined, { loggedInAt }, { registries });
    expect(result.outcome).toBe('succeeded');
    expect(left.config).toBe(config);
  },
);
