/** I2 over a real table and a registry: which image is meant by what is left out, and by a full URL. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { addReference } from '../../../functions/image-jobs/reference.ts';
import { newId } from '../../../shared/model/id.ts';
import { newImageSchema } from '../../../shared/model/image.ts';
import { settingsSchema } from '../../../shared/model/organisation.ts';
import { ociManifest } from '../../../shared/registry/media-types.ts';
import { createRegistryStore } from '../../../shared/store/registries.ts';
import { getSettings, settingsWrite } from '../../../shared/store/settings.ts';
import { putImage } from '../../shared/registry/images.ts';
import { startTableAndRegistry, type TableAndRegistry } from '../table-and-registry.ts';

const organisation = 'acme';
let place: TableAndRegistry;
beforeAll(async () => {
  place = await startTableAndRegistry();
});
afterAll(() => place?.stop());

const add = (asked: object, url?: string, registryOf = place.access.registryOf) =>
  addReference(
    {
      table: place.table,
      registries: createRegistryStore(place.table, 'ecr.example', []),
      access: { ...place.access, registryOf },
    },
    { organisation, email: 'ada@acme.example', now: new Date() },
    newId('image', Date.now()),
    newImageSchema.parse({ source: { type: 'reference', ...(url ? { url } : {}) }, ...asked }),
  );

it("I2 without a registry it is looked for in the organisation's default one, else in its own space", async () => {
  const own = putImage(place.registry, 'acme/team/app', '1');
  expect(await add({ repository: 'team/app', tag: '1' })).toMatchObject({
    registryId: 'reg_private',
    uri: 'ecr.example/acme/team/app:1',
    digest: own,
  });
  const { version } = await getSettings(place.table, organisation);
  const settings = settingsSchema.parse({ defaultRegistryId: 'reg_dockerhub' });
  await place.table.transact([settingsWrite(place.table, organisation, settings, version)]);
  const theirs = putImage(place.registry, 'team/app', '1', { architecture: 'arm64' });
  expect(await add({ repository: 'team/app', tag: '1' })).toMatchObject({
    registryId: 'reg_dockerhub',
    uri: 'docker.io/team/app:1',
    digest: theirs,
  });
  await expect(add({ repository: 'team/app', registryId: 'reg_none' })).rejects.toMatchObject({
    status: 422,
    extra: {
      errors: [{ pointer: '/registryId', message: 'names the registry reg_none, which does not exist' }],
    },
  });
});

it.each([
  ['layers too large to count', { layers: [2 ** 52, 2 ** 52] }, 'add up to'],
  ['an operating system of 450 kB', { os: 'x'.repeat(450_000) }, 'at os'],
  ['an architecture with a space', { architecture: 'amd 64' }, 'at architecture'],
])('I2 what a registry says of an image is checked before it is kept: %s', async (_, said, place_) => {
  const { layers = [], ...config } = said as { layers?: number[] };
  const { registry } = place;
  const text = JSON.stringify(config);
  const descriptor = (mediaType: string, bytes: string, size: number) => ({
    mediaType,
    digest: registry.putBlob(bytes),
    size,
  });
  const manifest = {
    config: descriptor('application/vnd.oci.image.config.v1+json', text, text.length),
    layers: layers.map((size, i) => descriptor('x', `layer ${i}`, size)),
  };
  registry.put('team/odd', '1', ociManifest, JSON.stringify(manifest));
  await expect(add({}, 'quay.io/team/odd:1')).rejects.toMatchObject({
    status: 422,
    code: 'registry-corrupt',
    message: expect.stringContaining(place_),
  });
});

it('I2 a URL by digest is taken with a tag beside it, and names that digest; without one the answer says why not', async () => {
  const digest = putImage(place.registry, 'team/pinned', '1');
  putImage(place.registry, 'team/pinned', '1', { architecture: 'arm64' });
  expect(await add({}, `quay.io/team/pinned:1@${digest}`)).toMatchObject({
    uri: 'quay.io/team/pinned:1',
    tag: '1',
    digest,
  });
  await expect(add({}, `quay.io/team/pinned:2@${digest}`)).rejects.toMatchObject({
    status: 422,
    code: 'image-not-found',
    extra: { errors: [{ pointer: '/source/url', message: 'quay.io/team/pinned has no tag 2' }] },
  });
  await expect(add({}, `quay.io/team/pinned@${digest}`)).rejects.toMatchObject({
    status: 422,
    extra: {
      errors: [
        {
          pointer: '/source/url',
          message: 'must have a tag beside its digest, since Slipway lists images by tag',
        },
      ],
    },
  });
});

it('I2 an image from before its registry was connected is not added once more: its name would be ambiguous', async () => {
  putImage(place.registry, 'team/before', '1');
  const first = await add({}, 'docker.io/team/before:1');
  expect(first).not.toHaveProperty('registryId');
  const registries = createRegistryStore(place.table, 'ecr.example', []);
  const connected = () => registries.get(organisation, 'reg_dockerhub');
  await expect(add({}, 'docker.io/team/before:1', connected)).rejects.toMatchObject({
    status: 409,
    code: 'image-exists',
    extra: { candidates: [first.id] },
  });
  // The same name elsewhere is another image.
  expect(await add({}, 'quay.io/team/before:1')).toMatchObject({ registry: 'quay.io' });
});
