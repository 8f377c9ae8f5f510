import { describe, expect, it } from 'vitest';
import { countImage } from '../../../shared/store/registry-images.ts';
import { columnKey } from '../../../shared/store/table.ts';
import { quay, registriesApi } from './api.ts';

const { deployment, service, organisation, serveWith, ask, create, one, secretNames, secretOf } =
  registriesApi();

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
    expect(await secretNames()).toHaveLength(1);
    expect(JSON.stringify(rotated)).not.toContain('hunter3');
    const record = await deployment().table.get(organisation(), 'registries', body.id);
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

  it('never has the credentials of one host beside another, not even where the change is killed', async () => {
    const { body } = await create(quay);
    serveWith({ secrets: { ...deployment().secrets, write: () => new Promise(() => undefined) } });
    const moved = { url: 'ghcr.io/team', username: 'ada', password: 'hunter3' };
    void one('PATCH', body.id, { body: moved });
    await expect
      .poll(async () => (await one('GET', body.id)).body)
      .toMatchObject({ url: 'ghcr.io/team', hasCredentials: false });
    serveWith({});
    const { access, time } = service();
    expect(await access.credentialsFor(organisation(), 'ghcr.io', 'team/app')).toBeUndefined();
    time.now = new Date('2026-11-21T09:01:00Z');
    expect(await one('PATCH', body.id, { body: moved })).toMatchObject({
      status: 200,
      body: { username: 'ada', hasCredentials: true },
    });
    expect(await access.credentialsFor(organisation(), 'ghcr.io', 'team/app')).toEqual({
      username: 'ada',
      password: 'hunter3',
    });
    expect(await secretNames()).toHaveLength(1);
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
      {
        pointer: '/type',
        message:
          'There is no field `type`. The fields are `title`, `url`, `visibility`, `username`, `password`.',
      },
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
    expect(await secretNames()).toEqual([]);
    expect((await one('DELETE', body.id)).status).toBe(404);
  });

  it('R6 refuses while images refer to it, unless forced', async () => {
    const { body } = await create(quay);
    const { table } = deployment();
    await table.put(organisation(), 'images', 'img_1', {
      id: 'img_1',
      registryId: body.id,
      repository: 'team/app',
      registryKey: columnKey(body.id, 'img_1'),
    });
    await table.transact(countImage(table, organisation(), body.id, 1));
    const images = { route: '/v1/registries/{id}/images', method: 'GET', params: { id: body.id } };
    await expect.poll(async () => (await ask(images)).body.items).toMatchObject([{ id: 'img_1' }]);
    expect(await one('DELETE', body.id)).toMatchObject({
      status: 409,
      body: { type: 'urn:slipway:problem:registry-in-use' },
    });
    expect(await secretNames()).toHaveLength(1);
    expect((await one('DELETE', body.id, { query: { force: 'maybe' } })).status).toBe(422);
    expect((await one('DELETE', body.id, { query: { force: 'true' } })).status).toBe(204);
    expect((await ask(images)).status).toBe(404);
  });
});
