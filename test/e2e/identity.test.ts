/** B8: identical builds run once, on the real engine and registry. */

import {
  BatchGetBuildsCommand,
  CodeBuildClient,
  ListBuildsForProjectCommand,
} from '@aws-sdk/client-codebuild';
import { expect, inject, it } from 'vitest';
import { awsConfiguration } from '../../scripts/local-cloud.ts';
import { apiOf, type Json, settled, unique } from './client.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const api = apiOf(cloud.apiUrl, cloud.token);
const codeBuild = new CodeBuildClient(awsConfiguration(cloud));

const request = (dockerfile: string, repository: string, tag = '1', more: object = {}) => ({
  source: { type: 'build', dockerfile, ...more },
  registryId: 'reg_private',
  repository,
  tag,
});

async function accepted(path: string, body: object): Promise<Json> {
  const reply = await api.post(path, body);
  expect(reply.status, JSON.stringify(reply.body)).toBe(202);
  return reply.body;
}

const built = (image: Json) => api.until(`/v1/builds/${image.currentBuild.id}`, settled);

/** How many of CodeBuild's builds were started for these builds of ours. */
async function startedFor(buildIds: string[]): Promise<number> {
  const { ids = [] } = await codeBuild.send(
    new ListBuildsForProjectCommand({ projectName: 'slipway-local-builds' }),
  );
  const { builds = [] } = await codeBuild.send(new BatchGetBuildsCommand({ ids: ids.slice(0, 100) }));
  const specs = builds.flatMap(({ environment }) => environment?.environmentVariables ?? []);
  return specs.filter(({ value = '' }) => buildIds.some((id) => value.includes(id))).length;
}

it('B8 fifty identical requests at once: one build, and every answer names it', async () => {
  const body = request(`FROM ${tinyBase}\nRUN sleep 1 && echo fifty\n`, unique('fifty'));
  const images = await Promise.all(Array.from({ length: 50 }, () => accepted('/v1/images', body)));
  expect(new Set(images.map(({ id }) => id)).size).toBe(1);
  const buildIds = [...new Set(images.map(({ currentBuild }) => currentBuild.id))];
  expect(buildIds).toHaveLength(1);
  expect(images.filter(({ currentBuild }) => currentBuild.cached)).toHaveLength(49);
  const done = await built(images[0]);
  expect(done.status).toBe('succeeded');
  expect(await startedFor(buildIds)).toBe(1);
  // Once it is finished, the finished one is the answer.
  const later = await accepted('/v1/images', body);
  expect(later).toMatchObject({
    id: images[0].id,
    status: 'ready',
    digest: done.digest,
    currentBuild: { id: done.id, status: 'succeeded', cached: true },
  });
  const again = await accepted(`/v1/images/${later.id}/builds`, {});
  expect(again.currentBuild).toEqual({ id: done.id, status: 'succeeded', cached: true });
  const forced = await accepted(`/v1/images/${later.id}/builds`, { force: true });
  expect(forced.currentBuild).toMatchObject({ cached: false });
  expect(forced.currentBuild.id).not.toBe(done.id);
  expect((await built(forced)).status).toBe('succeeded');
});

it('B8 another tag gets the manifest of the one under way, and of the finished one, without building', async () => {
  const dockerfile = `FROM ${tinyBase}\nRUN sleep 2 && echo ${unique('tags')} > /tags\n`;
  const repository = unique('tags');
  const first = await accepted('/v1/images', request(dockerfile, repository, '1'));
  const second = await accepted('/v1/images', request(dockerfile, repository, '2'));
  const [one, two] = await Promise.all([built(first), built(second)]);
  const third = await accepted('/v1/images', request(dockerfile, repository, '3'));
  const three = await built(third);
  for (const build of [two, three])
    expect(build).toMatchObject({
      status: 'succeeded',
      cached: true,
      attachedTo: one.id,
      digest: one.digest,
    });
  expect(await startedFor([two.id, three.id])).toBe(0);
  for (const image of [first, second, third]) {
    const resolved = await api.post('/v1/images/resolve', { image: image.uri });
    expect(resolved.body).toMatchObject({ digest: one.digest });
    expect(await api.read(`/v1/images/${image.id}`)).toMatchObject({ status: 'ready', digest: one.digest });
  }
  // Its log is the log of the one that was built.
  expect((await api.log(`/v1/builds/${two.id}`)).length).toBe((await api.log(`/v1/builds/${one.id}`)).length);
});

it('B8 builds from exactly the digests that were looked up, and says what it could not look up', async () => {
  const repository = unique('pinned');
  const base = await accepted(
    '/v1/images',
    request(`FROM ${tinyBase}\nRUN echo a > /which\n`, repository, 'base'),
  );
  const { digest, uri } = await built(base);
  const child = await accepted(
    '/v1/images',
    request(`ARG BASE\nFROM $BASE\nRUN cat /which\n`, repository, 'child', { buildArgs: { BASE: uri } }),
  );
  const { status, id } = await built(child);
  expect(status).toBe('succeeded');
  const log = await api.log(`/v1/builds/${id}`);
  expect(log.map(({ text }) => text).join('\n')).toContain(`FROM ${uri}@${digest}`);

  const unknown = request('FROM 127.0.0.1:1/nobody/home:1\n', repository, 'unknown');
  const failed = await built(await accepted('/v1/images', unknown));
  expect(failed).toMatchObject({ status: 'failed', failure: { code: 'base-image-unavailable' } });
  const { items } = await api.read(`/v1/builds/${failed.id}/events?limit=100`);
  const warning = items.find(({ code }: Json) => code === 'warning');
  expect(warning.message).toMatch(
    /^Slipway could not look up 127\.0\.0\.1:1\/nobody\/home:1 .*identical ones/,
  );
});

it('B8 what failed is not remembered', async () => {
  const body = (tag: string) => request(`FROM ${tinyBase}\nRUN exit 4\n`, repository, tag);
  const repository = unique('failing');
  const first = await accepted('/v1/images', body('1'));
  expect((await built(first)).status).toBe('failed');
  const second = await accepted(`/v1/images/${first.id}/builds`, {});
  expect(second.currentBuild.cached).toBe(false);
  expect((await built(second)).status).toBe('failed');
  expect(await startedFor([first.currentBuild.id, second.currentBuild.id])).toBe(2);
});
