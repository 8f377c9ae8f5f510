/** B2, B7: a stop that comes when the tag has moved already: the build says what the registry has. */
import { expect, inject, it } from 'vitest';
import { apiOf, settled, unique } from './client.ts';
import { connect } from './connected.ts';
import { holdableRegistry, untilHeld } from './stopping.ts';

const cloud = inject('cloud');
const tinyBase = inject('tinyBase');
const api = apiOf(cloud.apiUrl, cloud.token);
const { images, hold } = holdableRegistry();

it('B2 B7 while the registry is asked what it has: succeeded, with the digest that is there', async () => {
  const target = await hold((line) => /^(GET|HEAD) .*\/manifests\/sha256:/.test(line));
  const registryId = await connect(target.host);
  const repository = unique('stops');
  const accepted = await api.post('/v1/images', {
    source: { type: 'build', dockerfile: `FROM ${tinyBase}\nRUN echo ${unique('pushed')} > /text\n` },
    registryId,
    repository,
    tag: '1',
  });
  expect(accepted.status, JSON.stringify(accepted.body)).toBe(202);
  const path = `/v1/builds/${accepted.body.currentBuild.id}`;
  await untilHeld(target);
  expect(target.passed().filter((line) => /^PUT .*\/manifests\//.test(line))).toHaveLength(1);
  expect((await api.post(`${path}/stop`)).status).toBe(202);
  const there = await images().read(repository, '1');
  expect(await api.until(path, settled)).toMatchObject({ status: 'succeeded', digest: there?.digest });
  expect(await api.read(`/v1/images/${accepted.body.id}`)).toMatchObject({
    status: 'ready',
    digest: there?.digest,
  });
});
