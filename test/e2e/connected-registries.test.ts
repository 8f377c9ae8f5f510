/** R2, R3, R6, R7, R8: registries that an organisation connects; against CNCF's distribution registry. */
import {
  DescribeSecretCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, expect, inject, it } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../../scripts/docker-registry.ts';
import { awsConfiguration } from '../../scripts/local-cloud.ts';
import { SmallImages } from '../../scripts/small-images.ts';
import { apiOf, type Json, settled, unique } from './client.ts';
import { connect, reference } from './connected.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const api = apiOf(cloud.apiUrl, cloud.token);

interface Account {
  username: string;
  password: string;
}

const open: DockerRegistry[] = [];
afterAll(() => Promise.all(open.map((one) => one.stop())));
async function registryOf(account?: Account): Promise<DockerRegistry> {
  const registry = await startDockerRegistry(account ? { account } : {});
  open.push(registry);
  return registry;
}
const newAccount = (): Account => ({ username: 'ada', password: unique('password') });

const check = async (id: string): Promise<Json> =>
  (await api.post(`/v1/registries/${id}/check`, { repository: 'app' })).body;

it('R2 no answer has the password: they say that there is one, and whose', async () => {
  const account = newAccount();
  const registry = await registryOf(account);
  const title = unique('guarded');
  const created = await api.post('/v1/registries', {
    title,
    url: `http://${registry.host}`,
    type: 'other',
    ...account,
  });
  const { id } = created.body;
  const got = await api.get(`/v1/registries/${id}`);
  const listed = await api.until(`/v1/registries?q=${title}`, ({ items }) => items.length > 0);
  const changed = await api.call('PATCH', `/v1/registries/${id}`, { title: `${title}-2` });
  for (const shown of [created.body, got.body, listed.items[0], changed.body]) {
    expect(shown).toMatchObject({ id, hasCredentials: true, username: account.username });
    expect(JSON.stringify(shown)).not.toContain(account.password);
  }
  // It is known all the same.
  expect(await check(id)).toMatchObject({ ok: true });
});

it('R3 title, url and password change, type and secret stay; it goes once no image refers to it, or by force', async () => {
  const account = newAccount();
  const [first, second] = await Promise.all([registryOf(account), registryOf(account)]);
  const id = await connect(first.host, { ...account, password: 'outdated' });
  const path = `/v1/registries/${id}`;
  const secrets = new SecretsManagerClient(awsConfiguration(cloud));
  const secret = () =>
    secrets.send(new DescribeSecretCommand({ SecretId: `slipway/local/acme/registries/${id}` }));
  const before = await secret();
  expect(await check(id)).toMatchObject({ ok: false, cause: 'bad-credentials' });

  const patch = (change: object) => api.call('PATCH', path, change);
  expect(await patch({ password: account.password, title: null })).toMatchObject({ status: 200 });
  expect(await check(id)).toMatchObject({ ok: true });
  expect((await secret()).ARN).toBe(before.ARN);
  const title = unique('renamed');
  expect(await patch({ title })).toMatchObject({ status: 200, body: { title, url: `http://${first.host}` } });
  const moved = await patch({ url: `http://${second.host}`, ...account });
  expect(moved).toMatchObject({ status: 200, body: { title, url: `http://${second.host}` } });
  expect(await check(id)).toMatchObject({ ok: true });
  expect(await patch({ type: 'quay' })).toMatchObject({
    status: 422,
    body: { errors: [{ pointer: '/type' }] },
  });

  await new SmallImages(second.host, account).image('app', '1', unique('content'));
  const image = await reference({ registryId: id, repository: 'app', tag: '1' });
  expect(await api.call('DELETE', path)).toMatchObject({ status: 409 });
  expect(await check(id)).toMatchObject({ ok: true });
  expect((await api.call('DELETE', `${path}?force=true`)).status).toBe(204);
  expect((await api.get(path)).status).toBe(404);
  await expect(secret()).rejects.toThrow(ResourceNotFoundException);
  expect((await api.get(`/v1/images/${image.id}`)).status).toBe(200);
  secrets.destroy();
});

it('R3 a registry that images refer to stays where it is: the answer says how many there are, and the ways on', async () => {
  const [here, elsewhere] = await Promise.all([registryOf(), registryOf()]);
  await new SmallImages(here.host).image('app', '1', unique('content'));
  const registryId = await connect(here.host);
  const path = `/v1/registries/${registryId}`;
  const { id } = await reference({ registryId, repository: 'app', tag: '1' });
  const move = () => api.call('PATCH', path, { url: `http://${elsewhere.host}/moved` });
  expect(await move()).toMatchObject({
    status: 409,
    body: {
      type: 'urn:slipway:problem:registry-in-use',
      detail: expect.stringMatching(/^1 image of this registry is still listed.*POST \/v1\/registries/),
    },
  });
  expect(await api.read(path)).toMatchObject({ url: `http://${here.host}` });
  expect((await api.call('DELETE', `/v1/images/${id}`)).status).toBe(204);
  expect(await move()).toMatchObject({ status: 200, body: { url: `http://${elsewhere.host}/moved` } });
});

it('R6 the images of one registry, and no others', async () => {
  const [one, other] = await Promise.all([registryOf(), registryOf()]);
  const idsOf = async (registry: DockerRegistry, tags: string[]) => {
    const registryId = await connect(registry.host);
    const images: string[] = [];
    for (const tag of tags) {
      await new SmallImages(registry.host).image('team/app', tag, unique('content'));
      images.push((await reference({ registryId, repository: 'team/app', tag })).id);
    }
    return { registryId, images: images.sort() };
  };
  for (const { registryId, images } of [await idsOf(one, ['1', '2']), await idsOf(other, ['3'])]) {
    const path = `/v1/registries/${registryId}/images`;
    // By the index, which lags behind.
    const { items } = await api.until(path, (page) => page.items.length >= images.length);
    expect(items.map(({ id }: Json) => id).sort()).toEqual(images);
  }
  expect((await api.get('/v1/registries/reg_none/images')).status).toBe(404);
});

it('R7 an image of a public registry that was never connected is added by its full URL', async () => {
  const { host } = await registryOf();
  const pushed = await new SmallImages(host).image('team/tool', 'v1', unique('content'));
  const url = `${host}/team/tool:v1`;
  const added = await reference({ source: { type: 'reference', url } });
  expect(added).toMatchObject({ repository: 'team/tool', tag: 'v1', uri: url, digest: pushed.digest });
  const { items } = await api.read('/v1/registries?limit=100');
  expect(items.filter((one: Json) => one.url.includes(host))).toEqual([]);
  const missing = await api.post('/v1/images', {
    source: { type: 'reference', url: `${host}/team/tool:v2` },
  });
  expect(missing.status, JSON.stringify(missing.body)).toBe(422);
});

// Short: the registry's own file of accounts keeps 72 bytes of a password.
const key = '{"type": "service_account",\n "private_key": "-----BEGIN\\nkey"}';
it.each([
  ['ECR', { username: 'AWS', password: `eyJ${'token+/='.repeat(8)}` }, 'guess'],
  ['Google', { username: '_json_key', password: key }, key.replace('BEGIN', 'OTHER')],
  ['NGC', { username: '$oauthtoken', password: unique('nvapi') }, 'guess'],
])(
  'R8 an account as %s has them logs in: to check, to look an image up, to pull a base and to push',
  async (_, account, guess) => {
    const registry = await registryOf(account);
    const wrong = await connect(registry.host, { ...account, password: guess });
    expect(await check(wrong)).toMatchObject({ ok: false, cause: 'bad-credentials' });
    expect((await api.call('DELETE', `/v1/registries/${wrong}`)).status).toBe(204);

    const registryId = await connect(registry.host, account);
    expect(await check(registryId)).toMatchObject({ ok: true });
    const build = async (base: string, tag: string) => {
      const reply = await api.post('/v1/images', {
        source: { type: 'build', dockerfile: `FROM ${base}\nRUN echo ${unique('content')} > /text\n` },
        registryId,
        repository: 'team/app',
        tag,
      });
      expect(reply.status, JSON.stringify(reply.body)).toBe(202);
      const done = await api.until(`/v1/builds/${reply.body.currentBuild.id}`, settled);
      expect(done, JSON.stringify(done)).toMatchObject({ status: 'succeeded' });
      return (await api.read(`/v1/images/${reply.body.id}`)).digest;
    };
    const images = new SmallImages(registry.host, account);
    expect((await images.read('team/app', '1'))?.digest).toBeUndefined();
    const base = await build(tinyBase, '1');
    expect((await images.read('team/app', '1'))?.digest).toBe(base);
    const next = await build(`${registry.host}/team/app:1`, '2');
    expect((await images.read('team/app', '2'))?.digest).toBe(next);
  },
);
