/** Mirrors as tests ask for them, and what became of them. */
import { expect, inject } from 'vitest';
import { apiOf, type Json, settled } from './client.ts';

const cloud = inject('cloud');
const api = apiOf(cloud.apiUrl, cloud.token);

export async function mirror(imageId: string, body: object): Promise<{ image: Json; path: string }> {
  const reply = await api.post(`/v1/images/${imageId}/mirrors`, body);
  expect(reply.status, JSON.stringify(reply.body)).toBe(202);
  const path = `/v1/builds/${reply.body.currentBuild.id}`;
  expect(reply.headers.get('location')).toBe(path);
  return { image: reply.body, path };
}

/** Its job once that is over, and its whole log. */
export async function finished(path: string): Promise<{ job: Json; lines: string[] }> {
  const lines = (await api.log(path)).map((line) => line.text);
  return { job: await api.until(path, settled), lines };
}
