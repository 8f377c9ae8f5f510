/** I7: what happens while a mirror is copied. */
import { expect, inject, it } from 'vitest';
import { apiOf, type Json, settled, unique } from './client.ts';
import { connect, reference } from './connected.ts';
import type { HeldRegistry } from './held-registry.ts';
import { finished, mirror } from './mirroring.ts';
import { holdableRegistry, untilHeld } from './stopping.ts';

const cloud = inject('cloud');
const api = apiOf(cloud.apiUrl, cloud.token);
const { host, images, hold } = holdableRegistry();

/** Begins a mirror of a new image within the registry, and waits until its first layer is asked for. */
async function copying(
  repository: string,
  target: string,
  more: object = {},
): Promise<{ held: HeldRegistry; image: Json; path: string }> {
  const { body } = await images().image(repository, '1', unique('content'));
  const { layers } = JSON.parse(body) as { layers: { digest: string }[] };
  const held = await hold((line) =>
    layers.some(({ digest }) => line.startsWith('GET ') && line.endsWith(`/blobs/${digest}`)),
  );
  const source = await reference({ registryId: await connect(held.host), repository, tag: '1' });
  const registryId = await connect(host());
  const begun = await mirror(source.id, { registryId, repository: target, ...more });
  await untilHeld(held);
  return { held, ...begun };
}

it('I7 stopped while it copies: confirmed, and the tag is what it was', async () => {
  const target = unique('stopped');
  const before = await images().image(target, '1', unique('old'));
  const { image, path } = await copying(unique('team/slow'), target, { force: true });
  expect((await api.post(`${path}/stop`)).status).toBe(202);
  expect((await api.until(path, settled)).status).toBe('stopped');
  expect(await images().read(target, '1')).toEqual({ digest: before.digest, body: before.body });
  expect(await api.read(`/v1/images/${image.id}`)).toMatchObject({ status: 'failed' });
});

it('I7 a source that changes meanwhile: source-changed, and no tag', async () => {
  const [repository, target] = [unique('team/moving'), unique('changed')];
  const { held, image, path } = await copying(repository, target);
  const moved = await images().image(repository, '1', unique('second'));
  held.letGo();
  const { job } = await finished(path);
  expect(job).toMatchObject({ status: 'failed', failure: { code: 'source-changed' } });
  expect(job.failure.message).toContain(moved.digest);
  expect(await images().read(target, '1')).toBeUndefined();
  expect(await api.read(`/v1/images/${image.id}`)).toMatchObject({ status: 'failed' });
});

it('I7 a target that appears meanwhile: target-exists, and it stays', async () => {
  const target = unique('raced');
  const { held, path } = await copying(unique('team/racing'), target);
  const theirs = await images().image(target, '1', unique('theirs'));
  held.letGo();
  const { job } = await finished(path);
  expect(job).toMatchObject({ status: 'failed', failure: { code: 'target-exists' } });
  expect((await images().read(target, '1'))?.digest).toBe(theirs.digest);
});
