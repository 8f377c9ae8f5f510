/** Registries that tests connect, and images in them that they add. */
import { expect, inject } from 'vitest';
import { apiOf, type Json, unique } from './client.ts';

const cloud = inject('cloud');
const api = apiOf(cloud.apiUrl, cloud.token);

/** Connects the registry at `host`, or below a path of it, and answers its id. */
export async function connect(host: string, account: object = {}, path = ''): Promise<string> {
  const reply = await api.post('/v1/registries', {
    title: unique('registry'),
    url: `http://${host}${path}`,
    type: 'other',
    ...account,
  });
  expect(reply.status, JSON.stringify(reply.body)).toBe(201);
  return reply.body.id;
}

/** Adds an image that is there: by its registry, repository and tag, or as `source` has its URL. */
export async function reference(image: object): Promise<Json> {
  const reply = await api.post('/v1/images', { source: { type: 'reference' }, ...image });
  expect(reply.status, JSON.stringify(reply.body)).toBe(201);
  return reply.body;
}
