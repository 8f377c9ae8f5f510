import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, ListSecretsCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import type { Secrets } from '../../../shared/aws/secrets.ts';
import { getSecret } from '../../../shared/store/secrets.ts';
import { putImage } from '../../shared/registry/images.ts';
import { openedByTests } from '../../shared/registry/opened.ts';
import { calledFunction } from '../called.ts';
import type { Call } from '../event.ts';
import { organisationService } from './service.ts';

const { deployment, service, caller, serveWith, ask } = calledFunction(organisationService);
const people = (count: number) => Array.from({ length: count }, (_, i) => `reader-${i}@acme.example`);

describe('O1 settings', () => {
  const defaults = {
    installDependencies: true,
    launchGate: 'off',
    notifications: { preference: 'always', recipients: [] },
  };
  const put = (body: object, more: Partial<Call> = {}) => ask('PUT', '/v1/settings', { body, ...more });

  it('have defaults, and are replaced as a whole', async () => {
    expect(await ask('GET', '/v1/settings')).toMatchObject({
      status: 200,
      headers: { etag: '"0"' },
      body: defaults,
    });
    const wanted = {
      defaultRegistryId: 'reg_nvidia',
      defaultImage: 'python:3.13',
      installDependencies: false,
      launchGate: 'high',
      notifications: { preference: 'errors', recipients: ['team@acme.example'] },
    };
    expect(await put(wanted)).toMatchObject({ status: 200, headers: { etag: '"1"' }, body: wanted });
    expect((await ask('GET', '/v1/settings')).body).toEqual(wanted);
    expect((await put({})).body).toEqual(defaults);
  });

  it('of a deployment that once took 50 recipients are read and replaced', async () => {
    const notifications = { preference: 'errors', recipients: people(50) };
    await deployment().table.put(caller().organisation, 'settings', 'settings', {
      settings: { ...defaults, notifications },
      version: 1,
    });
    expect(await ask('GET', '/v1/settings')).toMatchObject({ status: 200, body: { notifications } });
    expect(await put({})).toMatchObject({ status: 200, body: defaults });
  });

  it('are not overwritten by whoever read them before', async () => {
    const ifMatch = (etag: string) => ({ headers: { 'if-match': etag } });
    expect((await put({}, ifMatch('"0"'))).status).toBe(200);
    expect((await put({}, ifMatch('"0"'))).status).toBe(412);
    const both = await Promise.all([put({}, ifMatch('"1"')), put({}, ifMatch('"1"'))]);
    expect(both.map((one) => one.status).sort()).toEqual([200, 412]);
  });

  it.each([
    [{ defaultRegistryId: 'reg_none' }, '/defaultRegistryId'],
    [{ defaultImage: 'No Image' }, '/defaultImage'],
    [{ notifications: { preference: 'sometimes' } }, '/notifications/preference'],
    [{ notifications: { recipients: ['nobody'] } }, '/notifications/recipients/0'],
    [{ notifications: { recipients: people(50) } }, '/notifications/recipients'],
    [{ installDependencies: 'yes' }, '/installDependencies'],
    [{ launchGate: 'always' }, '/launchGate'],
  ])('refuse %j', async (body, pointer) => {
    expect((await put(body)).body.errors).toMatchObject([{ pointer }]);
  });

  const patch = (body: object, more: Partial<Call> = {}) => ask('PATCH', '/v1/settings', { body, ...more });

  it('are changed one by one, and returned to their defaults by null', async () => {
    expect((await patch({ launchGate: 'high' })).body).toEqual({ ...defaults, launchGate: 'high' });
    const recipients = ['team@acme.example'];
    await patch({ defaultImage: 'python:3.13', notifications: { recipients } });
    await patch({ notifications: { preference: 'never' } });
    const all = {
      defaultImage: 'python:3.13',
      installDependencies: true,
      launchGate: 'high',
      notifications: { preference: 'never', recipients },
    };
    expect(await ask('GET', '/v1/settings')).toMatchObject({ headers: { etag: '"3"' }, body: all });
    const { defaultImage: _, ...others } = all;
    expect((await patch({ defaultImage: null })).body).toEqual(others);
    expect((await patch({ notifications: { preference: null }, launchGate: null })).body).toEqual({
      ...defaults,
      notifications: { preference: 'always', recipients },
    });
    expect((await patch({ notifications: null })).body).toEqual(defaults);
    expect((await patch({})).body).toEqual(defaults);
    expect((await patch({}, { headers: { 'if-match': '"1"' } })).status).toBe(412);
  });

  it('keep 50 recipients where once 50 could be kept, when something else is changed', async () => {
    const notifications = { preference: 'errors', recipients: people(50) };
    await deployment().table.put(caller().organisation, 'settings', 'settings', {
      settings: { ...defaults, notifications },
      version: 1,
    });
    expect((await patch({ launchGate: 'low' })).body.notifications).toEqual(notifications);
  });

  it('changed by two admins at once have both changes', async () => {
    await Promise.all([patch({ launchGate: 'high' }), patch({ defaultImage: 'python:3.13' })]);
    expect((await ask('GET', '/v1/settings')).body).toMatchObject({
      launchGate: 'high',
      defaultImage: 'python:3.13',
    });
  });

  it.each(['PUT', 'PATCH'])(
    '%s without a body changes nothing, and what is wrong is told at once',
    async (method) => {
      await put({ launchGate: 'high' });
      for (const body of [undefined, ''])
        expect((await ask(method, '/v1/settings', { body })).body.errors).toMatchObject([{ pointer: '' }]);
      expect((await ask('GET', '/v1/settings')).body.launchGate).toBe('high');
      const wrong = { defaultRegistryId: 'reg_none', defaultImage: 'No Image' };
      expect((await ask(method, '/v1/settings', { body: wrong })).body.errors).toMatchObject([
        { pointer: '/defaultRegistryId' },
        { pointer: '/defaultImage' },
      ]);
    },
  );

  describe('with a default image', () => {
    const { registry, clientOf } = openedByTests();
    const served = async (before?: Parameters<typeof registry>[0]) => {
      const store = await registry(before);
      putImage(store, 'library/python', '3.13');
      putImage(store, 'team/app', '1');
      serveWith({ access: { clientFor: async () => clientOf(store) } });
    };

    it.each(['python:3.13', 'docker.io/team/app:1', 'quay.io/team/app:1'])(
      '%s, which is there',
      async (defaultImage) => {
        await served();
        expect((await put({ defaultImage })).status).toBe(200);
      },
    );

    it.each([
      ['python:3.99', 'docker.io/library/python:3.99'],
      ['quay.io/team/nothing', 'quay.io/team/nothing'],
      ['img_01m7q5cqg00w3ge1r70w3ge1r7', 'img_01m7q5cqg00w3ge1r70w3ge1r7'],
    ])('%s, which is not, are refused', async (defaultImage, named) => {
      await served();
      const { status, body } = await put({ defaultImage });
      expect([status, body.errors]).toEqual([
        422,
        [{ pointer: '/defaultImage', message: expect.stringContaining(named) }],
      ]);
      expect((await ask('GET', '/v1/settings')).body).toEqual(defaults);
    });

    it('go by the default registry that comes with it', async () => {
      const store = await registry();
      putImage(store, 'team/app', '1');
      const asked: string[] = [];
      serveWith({
        access: {
          async clientFor(_organisation, host) {
            asked.push(host);
            return clientOf(store);
          },
        },
      });
      expect((await put({ defaultRegistryId: 'reg_nvidia', defaultImage: 'team/app:1' })).status).toBe(200);
      expect(asked).toEqual(['nvcr.io']);
    });

    it('are taken where its registry cannot be asked, and changed where it is gone by now', async () => {
      await served(() => ({ status: 503 }));
      expect((await put({ defaultImage: 'python:3.99' })).status).toBe(200);
      await served();
      expect((await put({ defaultImage: 'python:3.99', installDependencies: false })).status).toBe(200);
    });
  });

  it('O3 are for admins to change', async () => {
    expect((await put({}, { caller: { ...caller(), role: 'editor' } })).status).toBe(403);
  });
});

it('O2 computes are those of the stage, with price, GPU and queues', async () => {
  const { body } = await ask('GET', '/v1/computes', { query: { use: 'run' } });
  expect(body.items).toEqual([
    expect.objectContaining({ name: 'cpu-small', gpus: 0, queues: ['cpu'], pricePerHourUsd: 0.04 }),
    expect.objectContaining({
      name: 'gpu-small',
      gpus: 1,
      gpuType: 'A10G',
      queues: ['gpu', 'cpu'],
      memoryMiB: 14_336,
    }),
  ]);
  const all = (await ask('GET', '/v1/computes')).body.items;
  // Only builds are counted; jobs wait for the vCPUs of their environments.
  expect(all.map((one: { maxConcurrent?: number }) => one.maxConcurrent)).toEqual([4, undefined, undefined]);
});

describe('B16, E13 secrets', () => {
  const one = (method: string, name: string, more: Partial<Call> = {}) =>
    ask(method, '/v1/secrets/{name}', { params: { name }, ...more });
  const put = (name: string, value: string, more: Partial<Call> = {}) =>
    one('PUT', name, { body: { value }, ...more });
  const names = async () => {
    const { SecretList = [] } = await deployment().secretsManager.send(new ListSecretsCommand({}));
    return SecretList.flatMap(({ Name = '' }) => (Name.includes(`/${caller().organisation}/`) ? [Name] : []));
  };

  it('are written, renewed and deleted, and never read', async () => {
    const created = await put('pypi-token', 'hunter2');
    expect(created).toMatchObject({
      status: 201,
      headers: { etag: '"1"', location: '/v1/secrets/pypi-token' },
      body: { name: 'pypi-token', updatedBy: 'ada@acme.example' },
    });
    const arn = (await getSecret(deployment().table, caller().organisation, 'pypi-token'))?.arn ?? '';
    expect(JSON.parse((await deployment().secrets.read(arn)) ?? '')).toEqual({ value: 'hunter2' });
    const renewed = await put('pypi-token', 'hunter3');
    expect(renewed).toMatchObject({ status: 200, headers: { etag: '"2"' } });
    expect((await getSecret(deployment().table, caller().organisation, 'pypi-token'))?.arn).toBe(arn);
    const list = await ask('GET', '/v1/secrets');
    expect(list.body.items).toEqual([renewed.body]);
    const { Items } = await deployment().dynamodb.send(new ScanCommand({ TableName: 'slipway' }));
    expect(JSON.stringify([created, renewed, list, Items, service().log.lines])).not.toMatch(/hunter\d/);
    expect((await one('DELETE', 'pypi-token')).status).toBe(204);
    expect((await one('GET', 'pypi-token')).status).toBe(404);
    expect(await names()).toEqual([]);
    expect((await put('pypi-token', 'again')).status).toBe(201);
  });

  it('show nothing of a first value that never arrived, and take the next', async () => {
    const failing = { ...deployment().secrets, write: () => Promise.reject(new Error('away')) };
    serveWith({ secrets: failing });
    expect((await put('token', 'x')).status).toBe(500);
    serveWith();
    expect((await one('GET', 'token')).status).toBe(404);
    expect((await ask('GET', '/v1/secrets')).body.items).toEqual([]);
    expect((await put('token', 'y', { headers: { 'if-match': '"0"' } })).status).toBe(201);
  });

  it('refuse the stale, and tell one of two who write at once', async () => {
    await put('token', 'x');
    expect((await put('token', 'y', { headers: { 'if-match': '"0"' } })).status).toBe(412);
    const both = await Promise.all([put('token', 'a'), put('token', 'b')]);
    for (const { status } of both) expect([200, 412]).toContain(status);
    expect(both.map(({ status }) => status)).toContain(200);
  });

  it('name the value that has arrived, before and after a new one does', async () => {
    const stored = () => getSecret(deployment().table, caller().organisation, 'token');
    const valueNow = async () => {
      const { arn: SecretId, versionId: VersionId } = (await stored()) ?? {};
      const { SecretString } = await deployment().secretsManager.send(
        new GetSecretValueCommand({ SecretId, VersionId }),
      );
      return JSON.parse(SecretString ?? '').value;
    };
    await put('token', 'before');
    const before = await stored();
    const seen: unknown[] = [];
    const watched: Secrets = {
      ...deployment().secrets,
      async write(...asked) {
        seen.push(await stored(), await valueNow());
        const written = await deployment().secrets.write(...asked);
        seen.push(await stored(), await valueNow());
        return written;
      },
    };
    serveWith({ secrets: watched });
    expect((await put('token', 'after')).status).toBe(200);
    const same = expect.objectContaining({ arn: before?.arn, versionId: before?.versionId });
    expect(seen).toEqual([same, 'before', same, 'before']);
    expect(await valueNow()).toBe('after');
  });

  it('are limited by what is stored, in which control characters take six bytes each', async () => {
    expect((await put('token', '\u0001'.repeat(10_920))).status).toBe(201);
    expect((await put('token', '\u0001'.repeat(10_921))).body.errors).toMatchObject([{ pointer: '/value' }]);
    expect((await put('token', 'x'.repeat(32_768))).status).toBe(200);
  });

  it('are not made by a change of what has to be there', async () => {
    expect((await put('token', 'x', { headers: { 'if-match': '*' } })).status).toBe(412);
    expect((await put('token', 'x', { headers: { 'if-match': '"1", "0"' } })).status).toBe(201);
    expect((await put('token', 'y', { headers: { 'if-match': 'W/"1"' } })).status).toBe(412);
    expect((await put('token', 'y', { headers: { 'if-match': '*' } })).status).toBe(200);
  });

  it.each(['1st', 'a b', 'x'.repeat(64), 'name-abc123', 'ü'])('refuse the name %j', async (name) => {
    expect((await put(name, 'x')).body.errors).toMatchObject([{ pointer: '{name}' }]);
  });

  it('O3 are for editors, each in their own organisation', async () => {
    await put('token', 'x');
    expect((await put('token', 'y', { caller: { ...caller(), role: 'viewer' } })).status).toBe(403);
    const foreign = { caller: { ...caller(), organisation: 'elsewhere' } };
    expect((await one('GET', 'token', foreign)).status).toBe(404);
    expect((await one('DELETE', 'token', foreign)).status).toBe(404);
    expect(await names()).toHaveLength(1);
  });
});
