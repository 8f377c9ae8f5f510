/** R8: a part of the own space that is connected as a registry of its own, with credentials that count for nothing there. */
import { expect, inject, it } from 'vitest';
import { apiOf, settled, unique } from './client.ts';

const cloud = inject('cloud');
const api = apiOf(cloud.apiUrl, cloud.token);

it('R8 in the own ECR the role counts, whatever is stored: for a check, a build, a mirror and a base image', async () => {
  const { url } = await api.read('/v1/registries/reg_private');
  const account = { username: 'ada', password: unique('password') };
  const connected = await api.post('/v1/registries', {
    title: unique('ours'),
    url: `${url}/${unique('ours')}`,
    type: 'other',
    check: true,
    ...account,
  });
  expect(connected.status, JSON.stringify(connected.body)).toBe(201);
  const registryId = connected.body.id;
  const checked = await api.post(`/v1/registries/${registryId}/check`, { repository: 'app' });
  expect(checked.body).toMatchObject({ ok: true });

  const job = async (path: string, body: object) => {
    const accepted = await api.post(path, { registryId, ...body });
    expect(accepted.status, JSON.stringify(accepted.body)).toBe(202);
    const done = await api.until(`/v1/builds/${accepted.body.currentBuild.id}`, settled);
    expect(done, JSON.stringify(done.failure)).toMatchObject({ status: 'succeeded' });
    return api.read(`/v1/images/${accepted.body.id}`);
  };
  const build = (repository: string, dockerfile: string) =>
    job('/v1/images', { repository, tag: '1', source: { type: 'build', dockerfile } });
  const base = await build('base', `FROM scratch\nLABEL of=${unique('base')}\n`);
  const above = await build('above', `FROM ${base.uri}\nLABEL of=${unique('above')}\n`);
  const copy = await job(`/v1/images/${above.id}/mirrors`, { repository: 'copy' });
  expect(copy).toMatchObject({ registryId, status: 'ready', digest: above.digest });
});
