/** I7 over the embedded CodeBuild, with a registry that stands for all there are: whose name a mirror may take. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mirrorImage } from '../../../functions/image-jobs/mirror.ts';
import { addReference } from '../../../functions/image-jobs/reference.ts';
import { newImageSchema, newMirrorSchema } from '../../../shared/model/image.ts';
import { ada, buildPlace, failed, organisation, type Place, succeeded } from '../../shared/build/place.ts';
import { putImage } from '../../shared/registry/images.ts';
import { startTableAndRegistry, type TableAndRegistry } from '../table-and-registry.ts';

let place: Place;
let sources: TableAndRegistry;
beforeAll(async () => {
  [place, sources] = await Promise.all([buildPlace(), startTableAndRegistry()]);
});
afterAll(() => Promise.all([place?.close(), sources?.stop()]));

const asking = () => ({ organisation, email: ada, now: new Date() });

async function sourceImage(repository: string): Promise<string> {
  putImage(sources.registry, repository, '1');
  const url = `quay.io/${repository}:1`;
  const asked = newImageSchema.parse({ source: { type: 'reference', url } });
  const { table, registries } = place.dependencies;
  const added = { table, registries, access: sources.access };
  return (await addReference(added, asking(), place.ids().imageId, asked)).id;
}

async function mirror(source: string, asked: object = {}) {
  const ids = place.ids();
  const dependencies = { ...place.dependencies, access: sources.access };
  const image = await mirrorImage(dependencies, asking(), source, ids, newMirrorSchema.parse(asked));
  return { image, buildId: image.lastBuildId ?? '' };
}

it('I7 a mirror that failed is begun again as its failure says, without force; one that is there is not', async () => {
  const source = await sourceImage('team/again');
  const first = await mirror(source);
  await expect(mirror(source)).rejects.toMatchObject({ status: 409, code: 'image-exists' });
  await place.result(first.buildId, failed);
  expect(await place.over(first.buildId)).toMatchObject({ status: 'failed' });

  const second = await mirror(source);
  expect(second.image).toMatchObject({ id: first.image.id, status: 'pending', source: 'mirror' });
  expect(second.buildId).not.toBe(first.buildId);
  await expect(mirror(source)).rejects.toMatchObject({ status: 409, code: 'image-exists' });
  await place.result(second.buildId, succeeded);
  await place.over(second.buildId);
  expect(await place.image(first.image.id)).toMatchObject({ status: 'ready', digest: succeeded.digest });

  await expect(mirror(source)).rejects.toMatchObject({
    status: 409,
    code: 'image-exists',
    message: expect.stringContaining('Set "force": true'),
  });
  expect((await mirror(source, { force: true })).image).toMatchObject({
    id: first.image.id,
    status: 'ready',
  });
});

it('I7 the name of a build that failed is not taken without force', async () => {
  const source = await sourceImage('team/built');
  const { imageId, buildId } = await place.build({ repository: 'team/built', tag: '1' });
  await place.result(buildId, failed);
  await place.over(buildId);
  expect(await place.image(imageId)).toMatchObject({ status: 'failed', source: 'build' });
  await expect(mirror(source)).rejects.toMatchObject({ extra: { candidates: [imageId] } });
});
