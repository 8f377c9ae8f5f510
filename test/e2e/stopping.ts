/** What every stop has to come to, whatever was stopped and at whatever stage. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../../scripts/docker-registry.ts';
import { SmallImages } from '../../scripts/small-images.ts';
import type { Api, Json } from './client.ts';
import { settled } from './client.ts';
import { type HeldRegistry, holdRequests } from './held-registry.ts';
import { mailsAbout } from './outbox.ts';

const stops: { path: string; finishedAt: string }[] = [];

/**
 * Asks for a stop twice at the same time, waits until it is confirmed, and asks once more. Answers what was stopped,
 * as it is then, the codes of its timeline, and how long the stop took.
 */
export async function stopped(
  api: Api,
  path: string,
): Promise<{ done: Json; codes: string[]; seconds: number }> {
  const replies = await Promise.all([api.post(`${path}/stop`), api.post(`${path}/stop`)]);
  // 202 while something has to end first, 200 where there was nothing.
  for (const { status, body } of replies) expect([200, 202], JSON.stringify(body)).toContain(status);
  const done = await api.until(path, settled);
  expect(done).toMatchObject({ status: 'stopped', stopRequestedAt: expect.any(String) });
  const { items } = await api.read(`${path}/events?limit=100`);
  const codes: string[] = items.map(({ code }: Json) => code);
  expect(codes.filter((code) => code === 'stop-requested')).toHaveLength(1);
  expect(codes.at(-1)).toBe('stopped');
  // What is over stays as it is.
  const { finishedAt, stopRequestedAt } = done;
  const again = await api.post(`${path}/stop`);
  expect(again).toMatchObject({ status: 200, body: { status: 'stopped', finishedAt } });
  stops.push({ path, finishedAt });
  return { done, codes, seconds: (Date.parse(finishedAt) - Date.parse(stopRequestedAt)) / 1000 };
}

/** Whatever was stopped so far is what it was, now that no line and no mail is outstanding; nobody was written to. */
export async function nothingHasFollowed(api: Api): Promise<void> {
  expect(stops.length).toBeGreaterThan(0);
  for (const { path, finishedAt } of stops) {
    const { items } = await api.until(`${path}/events?limit=100`, ({ complete }) => complete);
    expect(items.at(-1).code).toBe('stopped');
    expect(await api.read(path)).toMatchObject({ status: 'stopped', finishedAt });
    expect(await mailsAbout(path.split('/').at(-1) ?? path)).toEqual([]);
  }
}

/** For the tests of one file: a registry, and servers in front of it that keep some requests waiting. */
export function holdableRegistry() {
  let registry: DockerRegistry;
  const held: HeldRegistry[] = [];
  beforeAll(async () => {
    registry = await startDockerRegistry();
  });
  afterAll(async () => {
    for (const one of held) await one.stop();
    await registry?.stop();
  });
  return {
    host: () => registry.host,
    /** What is in the registry itself. */
    images: () => new SmallImages(registry.host),
    async hold(isHeld: (line: string) => boolean): Promise<HeldRegistry> {
      const one = await holdRequests(registry.host, isHeld);
      held.push(one);
      return one;
    },
  };
}

/** Waits until requests of somebody are kept waiting. */
export const untilHeld = ({ waiting }: HeldRegistry) =>
  expect.poll(() => waiting().length).toBeGreaterThan(0);

/** Waits until nobody waits for an answer any more: who asked has given up. */
export const untilGivenUp = ({ waiting }: HeldRegistry) => expect.poll(waiting).toEqual([]);

/** An image that nobody has, of one layer: to be asked for, and kept waiting for. Answers its digest. */
export async function imageToWaitFor(
  images: SmallImages,
  repository: string,
  config: object = {},
): Promise<string> {
  const layer = await images.blob(repository, randomBytes(64));
  const content = {
    os: 'linux',
    architecture: 'amd64',
    config: { Cmd: ['true'], ...config },
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
  };
  const type = (name: string) => `application/vnd.oci.image.${name}`;
  const manifest = {
    schemaVersion: 2,
    mediaType: type('manifest.v1+json'),
    config: {
      mediaType: type('config.v1+json'),
      ...(await images.blob(repository, Buffer.from(JSON.stringify(content)))),
    },
    layers: [{ mediaType: type('layer.v1.tar+gzip'), ...layer }],
  };
  await images.manifest(repository, '1', manifest.mediaType, JSON.stringify(manifest));
  return layer.digest;
}
