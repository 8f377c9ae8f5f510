/** What tests of builds with private registries ask of the API. */
import { expect, inject } from 'vitest';
import { apiOf, type Json, settled, unique } from './client.ts';

const cloud = inject('cloud');
const api = apiOf(cloud.apiUrl, cloud.token);

/** Answers the build once it is over, however it ended. */
export async function build(dockerfile: string, target: object = {}, more: object = {}): Promise<Json> {
  const reply = await api.post('/v1/images', {
    source: { type: 'build', dockerfile, ...more },
    registryId: 'reg_private',
    repository: unique('private'),
    tag: '1',
    ...target,
  });
  expect(reply.status, JSON.stringify(reply.body)).toBe(202);
  return api.until(`/v1/builds/${reply.body.currentBuild.id}`, settled);
}
