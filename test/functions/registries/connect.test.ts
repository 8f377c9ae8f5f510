import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { quay, registriesApi } from './api.ts';
import { ecrRegistry } from './service.ts';

const { deployment, service, organisation, serveWith, ask, create, one, secretNames, secretOf } =
  registriesApi();

const anotherEcr = { url: '123456789012.dkr.ecr.eu-west-1.amazonaws.com' };

describe('R1 connecting one place again', () => {
  it('says whose credentials count, on each of them and for as long as there are several', async () => {
    const connect = async (more: object) => (await create({ ...quay, ...more })).body;
    const first = await connect({});
    expect(first.warnings).toBeUndefined();
    const below = await connect({ url: 'quay.io/team/deep' });
    const open = await connect({ username: undefined, password: undefined });
    const third = await connect({ url: 'quay.io/team/' });
    // Of several with credentials, the one whose id comes first.
    const counting = [first.id, third.id].sort()[0];
    const { warnings } = (await one('GET', open.id)).body;
    expect(warnings).toEqual([expect.stringContaining(`credentials of ${counting}`)]);
    expect(third.warnings).toHaveLength(1);
    expect((await one('GET', first.id)).body.warnings).toEqual([expect.stringContaining(third.id)]);
    expect((await one('GET', below.id)).body.warnings).toBeUndefined();
    const { items } = (await ask({ method: 'GET' })).body;
    expect(items.filter(({ warnings }: { warnings?: string[] }) => warnings)).toHaveLength(3);
    for (const { id } of [open, third]) await one('DELETE', id);
    expect((await one('GET', first.id)).body.warnings).toBeUndefined();
  });

  it('is no matter where the other came with Slipway', async () => {
    const hub = await create({ ...quay, type: 'dockerhub', url: 'docker.io' });
    expect(hub.body.warnings).toBeUndefined();
  });
});

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
    const { Items } = await deployment().dynamodb.send(new ScanCommand({ TableName: 'slipway' }));
    expect(JSON.stringify([seen, Items, service().log.lines])).not.toContain('hunter2');
    expect((await one('GET', seen.body.id)).body).toEqual(seen.body);
  });

  it.each([
    [{ password: undefined }, '/password', 'is required with `username`'],
    [{ username: undefined }, '/username', 'is required with `password`'],
    [{ title: 'x'.repeat(151) }, '/title', ''],
    [{ title: ' ' }, '/title', ''],
    [{ title: undefined }, '/title', 'is required'],
    [{ url: 'http://quay.io' }, '/url', 'http://'],
    [{ url: 'https://a:b@quay.io' }, '/url', 'credentials'],
    [{ type: 'harbor' }, '/type', ''],
    [{ extra: 1 }, '/extra', 'There is no field `extra`. The fields are `title`, '],
    [{ type: 'dockerhub' }, '/url', 'Docker Hub'],
    [{ username: 'AWS', password: undefined }, '/password', 'for AWS, give an ECR token'],
    [{ type: 'nvidia', url: 'nvcr.io' }, '/username', '$oauthtoken'],
    [{ url: 'nvcr.io' }, '/username', 'must be `$oauthtoken` for NGC, with an API key as the password'],
    [
      { type: 'nvidia', url: 'nvcr.io', username: '$oauthtoken', password: undefined },
      '/password',
      'is required with `username`: for $oauthtoken, give an NGC API key',
    ],
    [
      { type: 'nvidia', url: 'nvcr.io', username: undefined, password: undefined },
      '/username',
      'must be `$oauthtoken` for a private NGC registry, with an API key as the password',
    ],
    [{ ...anotherEcr }, '/username', 'AWS'],
    [{ type: 'ecr', ...anotherEcr }, '/username', 'AWS'],
    [{ type: 'ecr' }, '/url', 'ECR'],
    [
      { type: 'ecr', ...anotherEcr, username: undefined, password: undefined },
      '/username',
      'can only reach its own ECR',
    ],
    [{ ...anotherEcr, username: undefined, password: undefined }, '/username', 'can only reach its own ECR'],
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
    [{ url: '1.2.3.256' }, '/url', 'must begin with a host name'],
    [{ type: 'slipway' }, '/url', ecrRegistry],
    [{ type: 'other', url: `${ecrRegistry}/another` }, '/url', "within your organisation's space"],
    [{ type: 'other', url: ecrRegistry }, '/url', "within your organisation's space"],
  ])('refuses %j at %s', async (change, pointer, message) => {
    const seen = await create({ ...quay, ...change });
    expect(seen.status).toBe(422);
    expect(seen.body.errors).toContainEqual({ pointer, message: expect.stringContaining(message) });
    expect(await secretNames()).toEqual([]);
    expect((await ask({ method: 'GET', query: { q: 'quay' } })).body.items).toEqual([]);
  });

  it('R8 warns of tokens of ECR, which end, whatever type their registry is given; not of the own one', async () => {
    const warnings = ['ECR tokens expire after 12 hours. Update the password before then.'];
    for (const type of ['ecr', 'other']) {
      const seen = await create({ ...quay, ...anotherEcr, type, username: 'AWS' });
      expect(seen).toMatchObject({ status: 201, body: { type, warnings } });
      expect((await one('GET', seen.body.id)).body).toEqual(seen.body);
      expect((await one('PATCH', seen.body.id, { body: { title: 'x' } })).body).toMatchObject({ warnings });
      expect((await ask({ method: 'GET', query: { q: anotherEcr.url, type } })).body.items).toMatchObject([
        { warnings },
      ]);
      await one('DELETE', seen.body.id);
    }
    const own = `${ecrRegistry}/${organisation()}/team`;
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
    const stored = await deployment().table.get(organisation(), 'registries', body.id);
    await deployment().table.put(organisation(), 'registries', body.id, {
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
    expect(await secretNames()).toHaveLength(1);
    expect((await create({ ...quay, password: 'other' }, { 'idempotency-key': 'k1' })).status).toBe(422);
  });

  it('leaves no secret and no record behind when the secret cannot be written', async () => {
    serveWith({
      secrets: {
        ...deployment().secrets,
        write: async () => {
          throw new Error('Secrets Manager is away');
        },
      },
    });
    expect((await create(quay, { 'idempotency-key': 'k2' })).status).toBe(500);
    expect((await ask({ method: 'GET', query: { q: 'Quay' } })).body.items).toEqual([]);
    serveWith();
    expect((await create(quay, { 'idempotency-key': 'k2' })).status).toBe(201);
    expect(await secretNames()).toHaveLength(1);
  });

  it('keeps the longest password that it takes', async () => {
    const password = '語'.repeat(21_332);
    const seen = await create({ ...quay, username: '語'.repeat(255), password });
    expect(seen.status).toBe(201);
    expect(await secretOf(seen.body.id)).toMatchObject({ password });
  });

  it('leaves no secret and no record behind when the secret is written and its record cannot be', async () => {
    const { table } = deployment();
    // The first write is a transaction, with conditions on the caller.
    let puts = 0;
    serveWith({
      table: {
        ...table,
        put: async (...asked) => {
          if (asked[1] === 'registries' && ++puts === 1) throw new Error('the table is away');
          return table.put(...asked);
        },
      },
    });
    expect((await create(quay)).status).toBe(500);
    expect(puts).toBe(1);
    expect(await secretNames()).toEqual([]);
    expect((await ask({ method: 'GET', query: { q: 'Quay' } })).body.items).toEqual([]);
  });

  it('finishes, when repeated, what a killed first try had begun', async () => {
    serveWith({
      secrets: { ...deployment().secrets, write: () => new Promise(() => undefined) },
    });
    void create(quay, { 'idempotency-key': 'k3' });
    await expect
      .poll(async () => (await ask({ method: 'GET', query: { q: 'Quay' } })).body.items)
      .toMatchObject([{ hasCredentials: false }]);
    serveWith();
    service().time.now = new Date('2026-11-21T09:01:00Z');
    const seen = await create(quay, { 'idempotency-key': 'k3' });
    expect(seen).toMatchObject({ status: 201, body: { hasCredentials: true, username: 'robot' } });
    expect((await ask({ method: 'GET', query: { q: 'Quay' } })).body.items).toHaveLength(1);
    expect(await secretNames()).toHaveLength(1);
  });
});
