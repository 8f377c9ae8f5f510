/** R4, O3: what every organisation has from the start, and what only one of them has. */
import { describe, expect, it } from 'vitest';
import { testStage } from '../deployment.ts';
import { quay, registriesApi } from './api.ts';
import { ecrRegistry } from './service.ts';

const { service, organisation, callAs, ask, create, one } = registriesApi();

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
      ['reg_private', `${ecrRegistry}/${organisation()}`, 'private'],
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
    callAs({ organisation: 'someone-else' });
    for (const method of ['GET', 'DELETE']) expect((await one(method, body.id)).status).toBe(404);
    expect((await one('PATCH', body.id, { body: { title: 'x' } })).status).toBe(404);
    expect((await ask({ method: 'GET', query: { q: 'Quay' } })).body.items).toEqual([]);
  });

  it('lets only admins change, and viewers look', async () => {
    callAs({ role: 'editor' });
    expect((await create(quay)).status).toBe(403);
    callAs({ role: 'viewer' });
    expect((await ask({ method: 'GET' })).status).toBe(200);
  });

  it('keeps credentials of the own ECR to the own space', async () => {
    const { access } = service();
    const own = organisation();
    expect(await access.credentialsFor(own, ecrRegistry, `${own}/app`)).toMatchObject({
      username: 'AWS',
    });
    expect(await access.credentialsFor(own, ecrRegistry, 'slipway/python')).toMatchObject({
      username: 'AWS',
    });
    for (const foreign of ['globex/app', own.slice(0, 3), `${own}x/app`])
      await expect(access.clientFor(own, ecrRegistry, foreign)).rejects.toMatchObject({
        code: 'not-found',
      });
  });

  it('B6 gives a repository the credentials of the registry with the longest path', async () => {
    await create(quay);
    await create({ ...quay, url: 'quay.io', username: 'everywhere' });
    await create({ ...quay, url: 'quay.io/team/deep', username: 'deep' });
    const nameFor = async (repository: string) =>
      (await service().access.credentialsFor(organisation(), 'quay.io', repository))?.username;
    expect(await nameFor('team/app')).toBe('robot');
    expect(await nameFor('team/deep/app')).toBe('deep');
    expect(await nameFor('teamwork/app')).toBe('everywhere');
    expect(await service().access.credentialsFor(organisation(), 'ghcr.io', 'team/app')).toBeUndefined();
    expect(testStage.privateRegistries).toEqual(['127.0.0.1']);
  });
});
