/** B1: what a build was made from can be read, changed and sent again. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { detailedBuild, listBuilds } from '../../../functions/builds/read.ts';
import { buildListQuery, buildSchema } from '../../../shared/model/build.ts';
import { rebuildSchema } from '../../../shared/model/new-build.ts';
import { buildPlace, organisation, type Place, succeeded } from '../../shared/build/place.ts';

let place: Place;
beforeAll(async () => {
  place = await buildPlace({ build: { commands: ['true'] } }, [100, 100]);
});
afterAll(() => place.close());

const sourceOf = async (buildId: string) =>
  buildSchema.parse(await detailedBuild(place.table, organisation, await place.get(buildId))).source;

test('of one build, with names in place of secrets; a list has none', async () => {
  const dockerfile = 'FROM scratch\nARG A\n';
  const { imageId, buildId } = await place.build({ source: { dockerfile, buildArgs: { A: '1' } } });
  const source = await sourceOf(buildId);
  expect(source).toEqual({
    dockerfile,
    buildArgs: { A: '1' },
    secrets: {},
    computes: place.dependencies.stage.computes.filter(({ use }) => use === 'build').map(({ name }) => name),
    bases: {},
  });
  await place.result(buildId, succeeded);
  await place.over(buildId);
  const { dockerfile: same, buildArgs, computes } = source ?? {};
  const again = rebuildSchema.parse({ dockerfile: same, buildArgs: { ...buildArgs, A: '2' }, computes });
  const { lastBuildId = '' } = await place.rebuild(imageId, again);
  expect(await sourceOf(lastBuildId)).toEqual({ ...source, buildArgs: { A: '2' } });
  const { items } = await listBuilds(place.table, organisation, buildListQuery.parse({}));
  expect(items.map((one) => Object.hasOwn(one, 'source'))).toEqual([false, false]);
});
