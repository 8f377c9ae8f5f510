import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { ListSecretsCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Caller } from '../../../shared/http/operation.ts';
import { countImage } from '../../../shared/store/registry-images.ts';
import { columnKey } from '../../../shared/store/table.ts';
import { startDeployment, type TestDeployment, testStage } from '../deployment.ts';
import { ada, type Call, call } from '../event.ts';
import { ecrRegistry, registriesService } from './service.ts';

let deployment: TestDeployment;
let service: ReturnType<typeof registriesService>;
beforeAll(async () => {
  deployment = await startDeployment();
});
afterAll(() => deployment?.stop());

// An organisation of its own for every test.
let caller: Caller;
let made = 0;
beforeEach(() => {
  caller = { ...ada, organisation: `org${++made}` };
  service = registriesService(deployment);
});

const ask = (request: Omit<Call, 'route'> & { route?: string }) =>
  call(service.handler, { route: '/v1/registries', caller, ...request });
const create = (body: object, headers: Record<string, string> = {}) => ask({ method: 'POST', body, headers });
const one = (method: string, id: string, more: Partial<Call> = {}) =>
  ask({ method, route: '/v1/registries/{id}', params: { id }, ...more });
const quay = {
  title: 'Quay',
  url: 'https://quay.io/team',
  type: 'quay',
  username: 'robot',
  password: 'hunter2',
};

async function secretsOf(organisation: string): Promise<string[]> {
  const { SecretList = [] } = await deployment.secretsManager.send(new ListSecretsCommand({}));
  return SecretList.flatMap(({ Name = '' }) =>
    Name.startsWith(`slipway/test/${organisation}/`) ? [Name] : [],
  );
}
const secretOf = async (id: string) =>
  JSON.parse(
    (await deployment.secrets.read(`slipway/test/${caller.organisation}/registries/${id}`)) ?? 'null',
  );

const anotherEcr = { url: '123456789012.dkr.ecr.eu-west-1.amazonaws.com' };

describe('R1 connecting a registry', () => {
  it('answers it without its password, which is in Secrets Manager only', async () => {
    const seen = await create(quay);
    expect(seen).toMatchObject({
      status: 201,
      headers: { etag: '"1"', location: `/v1/registries/${seen.body.id}` },
      body: {
        title: 'Quay',
        url: 'quay.io/team',
        type: 'quay',
        visibility: 'private',
        username: 'robot',
        hasCredentials: true,
        isDefault: false,
        createdBy: 'ada@acme.example',
        createdAt: '2026-11-21T09:00:00.000Z',
      },
    });
    expect(await secretOf(seen.body.id)).toEqual({ username: 'robot', password: 'hunter2' });
    const { Items } = await deployment.dynamodb.send(new ScanCommand({ TableName: 'slipway' }));
    expect(JSON.stringify([seen, Items, service.log.lines])).not.toContain('hunter2');
    expect((await one('GET', seen.body.id)).body).toEqual(seen.body);
  });

  it.each([
    [{ password: undefined }, '/password', 'together with username'],
    [{ username: undefined }, '/username', 'together with password'],
    [{ title: 'x'.repeat(151) }, '/title', ''],
    [{ title: ' ' }, '/title', ''],
    [{ title: undefined }, '/title', 'missing'],
    [{ url: 'http://quay.io' }, '/url', 'http://'],
    [{ url: 'https://a:b@quay.io' }, '/url', 'credentials'],
    [{ type: 'harbor' }, '/type', ''],
    [{ extra: 1 }, '/extra', 'unknown extra; there are title, '],
    [{ type: 'dockerhub' }, '/url', 'Docker Hub'],
    [{ username: 'AWS', password: undefined }, '/password', 'for AWS it is a token of ECR'],
    [{ type: 'nvidia', url: 'nvcr.io' }, '/username', '$oauthtoken'],
    [{ url: 'nvcr.io' }, '/username', 'is $oauthtoken for NGC, with an API key as password'],
    [
      { type: 'nvidia', url: 'nvcr.io', username: '$oauthtoken', password: undefined },
      '/password',
      'is needed together with username: for $oauthtoken it is an API key of NGC',
    ],
    [
      { type: 'nvidia', url: 'nvcr.io', username: undefined, password: undefined },
      '/username',
      'is $oauthtoken for a private registry of NGC, with an API key as password',
    ],
    [{ ...anotherEcr }, '/username', 'AWS'],
    [{ type: 'ecr', ...anotherEcr }, '/username', 'AWS'],
    [{ type: 'ecr' }, '/url', 'ECR'],
    [
      { type: 'ecr', ...anotherEcr, username: undefined, password: undefined },
      '/username',
      'only reaches its own ECR',
    ],
    [{ ...anotherEcr, username: undefined, password: undefined }, '/username', 'only reaches its own ECR'],
    [{ type: 'acr' }, '/url', 'Azure'],
    [
      { type: 'gcr', url: 'gcr.io/p', username: '_json_key', password: btoa('{"private_key":"x"}') },
      '/password',
      'base64',
    ],
    [
      { type: 'gcr', url: 'gcr.io/p', username: '_json_key', password: '{"type":"x"}' },
      '/password',
      'private_key',
    ],
    [
      { type: 'other', url: 'gcr.io/p', username: '_json_key', password: btoa('{"private_key":"x"}') },
      '/password',
      'base64',
    ],
    [{ username: 'robot:admin' }, '/username', 'colon'],
    [{ username: 'robot\u0000' }, '/username', 'control'],
    [{ password: 'hunter2\n' }, '/password', 'line break'],
    // As long as may be in characters, and more than Secrets Manager takes in bytes, as they are or as JSON.
    [{ password: '語'.repeat(32_768) }, '/password', '64000 bytes'],
    [{ password: '"'.repeat(32_768) }, '/password', '64000 bytes'],
    [{ url: '1.2.3.256' }, '/url', 'has no host'],
    [{ type: 'slipway' }, '/url', ecrRegistry],
    [{ type: 'other', url: `${ecrRegistry}/another` }, '/url', 'outside your own space'],
    [{ type: 'other', url: ecrRegistry }, '/url', 'outside your own space'],
  ])('refuses %j at %s', async (change, pointer, message) => {
    const seen = await create({ ...quay, ...change });
    expect(seen.status).toBe(422);
    expect(seen.body.errors).toContainEqual({ pointer, message: expect.stringContaining(message) });
    expect(await secretsOf(caller.organisation)).toEqual([]);
    expect((await ask({ method: 'GET', query: { q: 'quay' } })).body.items).toEqual([]);
  });

  it('R8 warns of tokens of ECR, which end, whatever type their registry is given; not of the own one', async () => {
    const warnings = ['ECR tokens end after 12 hours: renew the password in time.'];
    for (const type of ['ecr', 'other']) {
      const seen = await create({ ...quay, ...anotherEcr, type, username: 'AWS' });
      expect(seen).toMatchObject({ status: 201, body: { type, warnings } });
      expect((await one('GET', seen.body.id)).body).toEqual(seen.body);
      expect((await one('PATCH', seen.body.id, { body: { title: 'x' } })).body).toMatchObject({ warnings });
      expect((await ask({ method: 'GET', query: { q: anotherEcr.url, type } })).body.items).toMatchObject([
        { warnings },
      ]);
    }
    const own = `${ecrRegistry}/${caller.organisation}/team`;
    const known = await create({ ...quay, url: own, type: 'ecr', username: 'AWS' });
    expect(known.status).toBe(201);
    expect(known.body).not.toHaveProperty('warnings');
    expect((await create(quay)).body).not.toHaveProperty('warnings');
  });

  it('R8 takes NGC with an API key, and without one where it is public; a change keeps to that', async () => {
    const ngc = { title: 'NGC', url: 'nvcr.io', type: 'nvidia' };
    const key = { username: '$oauthtoken', password: 'nvapi-1' };
    expect(await create({ ...ngc, ...key })).toMatchObject({ status: 201, body: { visibility: 'private' } });
    const { status, body } = await create({ ...ngc, visibility: 'public' });
    expect(status).toBe(201);
    const change = (fields: object) => one('PATCH', body.id, { body: fields });
    expect((await change({ visibility: 'private' })).body.errors).toMatchObject([
      { pointer: '/username', message: expect.stringContaining('API key') },
    ]);
    expect((await change({ username: '$oauthtoken' })).body.errors).toMatchObject([
      { pointer: '/password', message: expect.stringContaining('API key') },
    ]);
    expect(await change({ visibility: 'private', ...key })).toMatchObject({ status: 200 });
  });

  it('R3 changes the title of what was connected under other rules, and refuses to keep breaking them', async () => {
    const { body } = await create({ title: 'NGC', url: 'nvcr.io', type: 'nvidia', visibility: 'public' });
    const stored = await deployment.table.get(caller.organisation, 'registries', body.id);
    await deployment.table.put(caller.organisation, 'registries', body.id, {
      ...stored,
      visibility: 'private',
    });
    const change = (fields: object) => one('PATCH', body.id, { body: fields });
    expect(await change({ title: 'Ours' })).toMatchObject({ status: 200, body: { title: 'Ours' } });
    expect((await change({ url: 'nvcr.io/acme' })).status).toBe(422);
  });

  it('takes http:// for hosts that the deployment lists, and the raw key of a Google account', async () => {
    expect((await create({ title: 'x', url: 'http://127.0.0.1:5000', type: 'other' })).body.url).toBe(
      'http://127.0.0.1:5000',
    );
    const google = {
      title: 'x',
      url: 'eu.gcr.io/p',
      type: 'gcr',
      username: '_json_key',
      password: '{"private_key":"k"}',
    };
    expect((await create(google)).status).toBe(201);
  });

  it('makes one registry and one secret of a request that comes many times', async () => {
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => create(quay, { 'idempotency-key': 'k1' })),
    );
    expect(answers.map((seen) => seen.status).filter((status) => status !== 409)).toContain(201);
    const again = await create(quay, { 'idempotency-key': 'k1' });
    expect(again.status).toBe(201);
    const list = await ask({ method: 'GET', query: { q: 'Quay' } });
    expect(list.body.items).toEqual([again.body]);
    expect(await secretsOf(caller.organisation)).toHaveLength(1);
    expect((await create({ ...quay, password: 'other' }, { 'idempotency-key': 'k1' })).status).toBe(422);
  });

  it('leaves no secret and no record behind when the secret cannot be written', async () => {
    service = registriesService(deployment, {
      secrets: {
        ...deployment.secrets,
        write: async () => {
          throw new Error('Secrets Manager is away');
        },
      },
    });
    expect((await create(quay, { 'idempotency-key': 'k2' })).status).toBe(500);
    expect((await ask({ method: 'GET', query: { q: 'Quay' } })).body.items).toEqual([]);
    service = registriesService(deployment);
    expect((await create(quay, { 'idempotency-key': 'k2' })).status).toBe(201);
    expect(await secretsOf(caller.organisation)).toHaveLength(1);
  });

  it('keeps the longest password that it takes', async () => {
    const password = '語'.repeat(21_332);
    const seen = await create({ ...quay, username: '語'.repeat(255), password });
    expect(seen.status).toBe(201);
    expect(await secretOf(seen.body.id)).toMatchObject({ password });
  });

  it('leaves no secret and no record behind when the secret is written and its record cannot be', async () => {
    const { table } = deployment;
    let puts = 0;
    const failing: typeof table = {
      ...table,
      put: async (...asked) => {
        if (asked[1] === 'registries' && ++puts === 2) throw new Error('the table is away');
        return table.put(...asked);
      },
    };
    service = registriesService(deployment, { table: failing });
    expect((await create(quay)).status).toBe(500);
    expect(puts).toBe(2);
    expect(await secretsOf(caller.organisation)).toEqual([]);
    expect((await ask({ method: 'GET', query: { q: 'Quay' } })).body.items).toEqual([]);
  });

  it('finishes, when repeated, what a killed first try had begun', async () => {
    service = registriesService(deployment, {
      secrets: { ...deployment.secrets, write: () => new Promise(() => undefined) },
    });
    void create(quay, { 'idempotency-key': 'k3' });
    await expect
      .poll(async () => (await ask({ method: 'GET', query: { q: 'Quay' } })).body.items)
      .toMatchObject([{ hasCredentials: false }]);
    service = registriesService(deployment);
    service.time.now = new Date('2026-11-21T09:01:00Z');
    const seen = await create(quay, { 'idempotency-key': 'k3' });
    expect(seen).toMatchObject({ status: 201, body: { hasCredentials: true, username: 'robot' } });
    expect((await ask({ method: 'GET', query: { q: 'Quay' } })).body.items).toHaveLength(1);
    expect(await secretsOf(caller.organisation)).toHaveLength(1);
  });
});

describe('R3 changing and deleting', () => {
  it('leaves null and missing fields alone, and rotates without another secret', async () => {
    const { body } = await create(quay);
    const titled = await one('PATCH', body.id, { body: { title: 'New', url: null, password: null } });
    expect(titled).toMatchObject({
      status: 200,
      headers: { etag: '"2"' },
      body: { title: 'New', url: 'quay.io/team' },
    });
    const rotated = await one('PATCH', body.id, { body: { password: 'hunter3' } });
    expect(rotated).toMatchObject({ status: 200, body: { username: 'robot', hasCredentials: true } });
    expect(await secretOf(body.id)).toEqual({ username: 'robot', password: 'hunter3' });
    expect(await secretsOf(caller.organisation)).toHaveLength(1);
    expect(JSON.stringify(rotated)).not.toContain('hunter3');
    const record = await deployment.table.get(caller.organisation, 'registries', body.id);
    expect(record).not.toHaveProperty('changing');
  });

  it('takes the username that is there already, as a form sends it, for no change of credentials', async () => {
    const { body } = await create(quay);
    const titled = await one('PATCH', body.id, { body: { title: 'New', username: 'robot', password: null } });
    expect(titled).toMatchObject({ status: 200, body: { title: 'New', username: 'robot' } });
    expect(await secretOf(body.id)).toEqual({ username: 'robot', password: 'hunter2' });
    const open = await create({ title: 'x', url: 'ghcr.io', type: 'other' });
    expect((await one('PATCH', open.body.id, { body: { username: 'robot' } })).status).toBe(422);
  });

  it('keeps user and password together when two change them at once', async () => {
    const { body } = await create(quay);
    const changes = await Promise.all(
      ['a', 'b', 'c'].map((name) =>
        one('PATCH', body.id, { body: { username: name, password: `${name}-password` } }),
      ),
    );
    expect(changes.map((seen) => seen.status)).toContain(200);
    for (const seen of changes) expect([200, 409]).toContain(seen.status);
    const now = (await one('GET', body.id)).body;
    expect(await secretOf(body.id)).toEqual({ username: now.username, password: `${now.username}-password` });
  });

  it('refuses what would break or give away credentials', async () => {
    const { body } = await create(quay);
    const change = async (fields: object) => (await one('PATCH', body.id, { body: fields })).body.errors;
    expect(await change({ username: 'other' })).toMatchObject([{ pointer: '/password' }]);
    expect(await change({ url: 'evil.example' })).toMatchObject([{ pointer: '/password' }]);
    expect(await change({ type: 'other' })).toMatchObject([
      { pointer: '/type', message: 'unknown type; there are title, url, visibility, username, password' },
    ]);
    const open = await create({ title: 'x', url: 'ghcr.io', type: 'other' });
    expect((await one('PATCH', open.body.id, { body: { password: 'x' } })).body.errors).toMatchObject([
      { pointer: '/username' },
    ]);
  });

  it('refuses a stale If-Match, and changes nothing', async () => {
    const { body } = await create(quay);
    const headers = { 'if-match': '"7"' };
    expect((await one('PATCH', body.id, { headers, body: { password: 'x', username: 'y' } })).status).toBe(
      412,
    );
    expect((await one('DELETE', body.id, { headers })).status).toBe(412);
    expect(await secretOf(body.id)).toEqual({ username: 'robot', password: 'hunter2' });
    expect((await one('DELETE', body.id, { headers: { 'if-match': '"1"' } })).status).toBe(204);
  });

  it('deletes the secret with the registry', async () => {
    const { body } = await create(quay);
    expect((await one('DELETE', body.id)).status).toBe(204);
    expect((await one('GET', body.id)).status).toBe(404);
    expect(await secretsOf(caller.organisation)).toEqual([]);
    expect((await one('DELETE', body.id)).status).toBe(404);
  });

  it('R6 refuses while images refer to it, unless forced', async () => {
    const { body } = await create(quay);
    const { table } = deployment;
    await table.put(caller.organisation, 'images', 'img_1', {
      id: 'img_1',
      registryId: body.id,
      repository: 'team/app',
      registryKey: columnKey(body.id, 'img_1'),
    });
    await table.transact(countImage(table, caller.organisation, body.id, 1));
    const images = { route: '/v1/registries/{id}/images', method: 'GET', params: { id: body.id } };
    await expect.poll(async () => (await ask(images)).body.items).toMatchObject([{ id: 'img_1' }]);
    expect(await one('DELETE', body.id)).toMatchObject({
      status: 409,
      body: { type: 'urn:slipway:problem:registry-in-use' },
    });
    expect(await secretsOf(caller.organisation)).toHaveLength(1);
    expect((await one('DELETE', body.id, { query: { force: 'maybe' } })).status).toBe(422);
    expect((await one('DELETE', body.id, { query: { force: 'true' } })).status).toBe(204);
    expect((await ask(images)).status).toBe(404);
  });
});

describe('R4 default registries', () => {
  it('are there from the start, beside what is connected', async () => {
    const { body } = await ask({ method: 'GET', query: { sort: 'title' } });
    expect(
      body.items.map((item: { id: string; url: string; visibility: string }) => [
        item.id,
        item.url,
        item.visibility,
      ]),
    ).toEqual([
      ['reg_dockerhub', 'docker.io', 'public'],
      ['reg_nvidia', 'nvcr.io', 'public'],
      ['reg_private', `${ecrRegistry}/${caller.organisation}`, 'private'],
      ['reg_slipway', `${ecrRegistry}/slipway`, 'public'],
    ]);
    await create(quay);
    const newest = await ask({ method: 'GET', query: { limit: '1' } });
    expect(newest.body.items).toMatchObject([{ title: 'Quay', isDefault: false }]);
    const rest = await ask({ method: 'GET', query: { limit: '4', cursor: newest.body.nextCursor } });
    expect(rest.body.items.every((item: { isDefault: boolean }) => item.isDefault)).toBe(true);
    expect(rest.body).not.toHaveProperty('nextCursor');
    const publicOnes = await ask({ method: 'GET', query: { visibility: 'public', type: 'nvidia' } });
    expect(publicOnes.body.items).toMatchObject([{ id: 'reg_nvidia' }]);
  });

  it('can be neither changed nor deleted', async () => {
    for (const id of ['reg_dockerhub', 'reg_private']) {
      expect((await one('PATCH', id, { body: { title: 'Mine' } })).body.type).toContain('default-registry');
      expect((await one('DELETE', id, { query: { force: 'true' } })).status).toBe(409);
      expect((await one('GET', id)).status).toBe(200);
    }
  });
});

describe('O3 organisations and roles', () => {
  it("hides another organisation's registry behind a 404", async () => {
    const { body } = await create(quay);
    caller = { ...caller, organisation: 'someone-else' };
    for (const method of ['GET', 'DELETE']) expect((await one(method, body.id)).status).toBe(404);
    expect((await one('PATCH', body.id, { body: { title: 'x' } })).status).toBe(404);
    expect((await ask({ method: 'GET', query: { q: 'Quay' } })).body.items).toEqual([]);
  });

  it('lets only admins change, and viewers look', async () => {
    caller = { ...caller, role: 'editor' };
    expect((await create(quay)).status).toBe(403);
    caller = { ...caller, role: 'viewer' };
    expect((await ask({ method: 'GET' })).status).toBe(200);
  });

  it('keeps credentials of the own ECR to the own space', async () => {
    const { access } = service;
    const { organisation } = caller;
    expect(await access.credentialsFor(organisation, ecrRegistry, `${organisation}/app`)).toMatchObject({
      username: 'AWS',
    });
    expect(await access.credentialsFor(organisation, ecrRegistry, 'slipway/python')).toMatchObject({
      username: 'AWS',
    });
    for (const foreign of ['globex/app', organisation.slice(0, 3), `${organisation}x/app`])
      await expect(access.clientFor(organisation, ecrRegistry, foreign)).rejects.toMatchObject({
        code: 'not-found',
      });
  });

  it('B6 gives a repository the credentials of the registry with the longest path', async () => {
    await create(quay);
    await create({ ...quay, url: 'quay.io', username: 'everywhere' });
    await create({ ...quay, url: 'quay.io/team/deep', username: 'deep' });
    const nameFor = async (repository: string) =>
      (await service.access.credentialsFor(caller.organisation, 'quay.io', repository))?.username;
    expect(await nameFor('team/app')).toBe('robot');
    expect(await nameFor('team/deep/app')).toBe('deep');
    expect(await nameFor('teamwork/app')).toBe('everywhere');
    expect(await service.access.credentialsFor(caller.organisation, 'ghcr.io', 'team/app')).toBeUndefined();
    expect(testStage.privateRegistries).toEqual(['127.0.0.1']);
  });
});
