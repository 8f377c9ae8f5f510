/** R10: an embedded cloud whose stage wants the pull-through cache, and a real registry that stands for Docker Hub. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tinyImage } from '../../scripts/base-image/tiny.ts';
import { run } from '../../scripts/command.ts';
import { type DockerRegistry, startDockerRegistry } from '../../scripts/docker-registry.ts';
import { type Engine, ensureEngine } from '../../scripts/engine.ts';
import { awsConfiguration, ensureLocalCloud, type RunningCloud } from '../../scripts/local-cloud.ts';
import { freePorts } from '../../scripts/ports.ts';
import { type Api, apiOf, type Json, settled } from './client.ts';

const account = { username: 'robot', password: 'open sesame' };

let folder: string;
let hub: DockerRegistry;
let engine: Engine;
let running: RunningCloud;
let api: Api;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-cached-'));
  [engine, hub] = await Promise.all([ensureEngine({ yes: true }), startDockerRegistry({ account })]);
  const local = JSON.parse(await readFile('infra/stages/local.json', 'utf8'));
  const pullThroughCache = { dockerHub: { username: account.username }, quay: true };
  await writeFile(
    join(folder, 'cached.json'),
    JSON.stringify({ ...local, stage: 'cached', pullThroughCache }),
  );
  Object.assign(process.env, {
    SLIPWAY_STAGES: folder,
    SLIPWAY_STAGE: 'cached',
    SLIPWAY_PORT: String(await freePorts()),
    SLIPWAY_UPSTREAMS: `registry-1.docker.io=http://${hub.host},quay.io=http://127.0.0.1:1`,
  });
  running = await ensureLocalCloud(join(folder, 'home'), () => {});
  api = apiOf(running.cloud.apiUrl, running.cloud.token);
});
afterAll(async () => {
  await running?.stop();
  await hub?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Pushes the tiny base under a name of Docker Hub's, with the tools that a person would use. */
async function publish(repository: string): Promise<void> {
  const image = `${hub.host}/${repository}:v1`;
  const configuration = join(folder, 'docker');
  const auth = Buffer.from(`${account.username}:${account.password}`).toString('base64');
  await run('mkdir', ['-p', configuration]);
  await writeFile(join(configuration, 'config.json'), JSON.stringify({ auths: { [hub.host]: { auth } } }));
  await run(engine.cli, ['tag', await tinyImage(engine, () => {}), image]);
  await run(engine.cli, ['--config', configuration, 'push', image]);
  await run(engine.cli, ['rmi', image]);
}

async function launch(image: string, text: string): Promise<Json> {
  const asked = { image, command: ['echo', text], compute: 'cpu-small' };
  const { status, body } = await api.post('/v1/experiments', asked);
  expect(status, JSON.stringify(body)).toBe(202);
  return api.until(`/v1/experiments/${body.id}`, settled);
}

const texts = async ({ id }: Json) => (await api.log(`/v1/experiments/${id}`)).map((line) => line.text);

it('R10 an image of Docker Hub runs from the cache in ECR; the second launch asks Docker Hub nothing', async () => {
  await publish('library/trainer');
  const secrets = new SecretsManagerClient(awsConfiguration(running.cloud));
  await secrets.send(
    new PutSecretValueCommand({
      SecretId: 'ecr-pullthroughcache/slipway-cached-docker',
      SecretString: JSON.stringify({ username: account.username, accessToken: account.password }),
    }),
  );
  secrets.destroy();
  const pushes = (await hub.requests()).length;
  const first = await launch('trainer:v1', 'from the cache');
  expect(first, JSON.stringify(first)).toMatchObject({ status: 'succeeded' });
  const cache = `${running.cloud.registryHost}/slipway-cached/docker/library/trainer`;
  expect(first.image).toMatchObject({
    requested: 'trainer:v1',
    uri: 'docker.io/library/trainer:v1',
    pulledFrom: `${cache}@${first.image.digest}`,
    warnings: [expect.stringContaining('once in 24 hours')],
  });
  expect(await texts(first)).toEqual(['from the cache']);
  const asked = (await hub.requests()).length;
  expect(asked).toBeGreaterThan(pushes);

  // Nothing of it on the host: it has to be pulled again.
  await run(engine.cli, ['rmi', '-f', `${cache}@${first.image.digest}`]);
  const second = await launch('trainer:v1', 'again');
  expect(second).toMatchObject({ status: 'succeeded', image: { digest: first.image.digest } });
  expect(await texts(second)).toEqual(['again']);
  expect(await hub.requests()).toHaveLength(asked);
});

it('R10 where the cache refuses, the registry itself is asked; what the cache holds is nobody’s by name', async () => {
  const refused = await launch('quay.io/slipway-no-such-team/none:v1', 'never');
  expect(refused.status).toBe('failed');
  // Whether this machine reaches quay.io or not, it was asked.
  expect(refused.statusReason.message).toContain('quay.io');
  const direct = await launch(
    `${running.cloud.registryHost}/slipway-cached/docker/library/trainer:v1`,
    'never',
  );
  expect(direct.statusReason).toMatchObject({ code: 'image-not-found' });
});
