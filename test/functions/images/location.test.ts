/** I14 over a real table and a registry: where an image is to be had, and that it is this image and no other. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { imageOperations } from '../../../functions/images/operations.ts';
import { createRepositories } from '../../../shared/aws/repositories.ts';
import { serve } from '../../../shared/http/serve.ts';
import { type ImageRecord, imageItem } from '../../../shared/images/record.ts';
import { createRegistryStore } from '../../../shared/store/registries.ts';
import { putImage, putIndex } from '../../shared/registry/images.ts';
import { sha256 } from '../../shared/registry/servers.ts';
import { call, memoryLog } from '../event.ts';
import { startTableAndRegistry, type TableAndRegistry } from '../table-and-registry.ts';
import { imageRecord } from './stored.ts';

const organisation = 'acme';
const ecrRegistry = 'ecr.example';
let place: TableAndRegistry;
beforeAll(async () => {
  place = await startTableAndRegistry();
});
afterAll(() => place?.stop());

const get = (id: string, what: string) =>
  call(
    serve(
      imageOperations({
        table: place.table,
        registries: createRegistryStore(place.table, ecrRegistry, []),
        access: place.access,
        repositories: createRepositories(),
        ecrRegistry,
      }),
      { now: () => new Date(), table: place.table, log: memoryLog() },
    ),
    { method: 'GET', route: `/v1/images/{id}/${what}`, params: { id } },
  );

const [whole, arm, later] = ['whole', 'arm', 'later'].map(sha256);
const source = 'img_0000000000000000000000000s';
const copy = 'img_0000000000000000000000000c';

const put = async (image: Partial<ImageRecord> & Pick<ImageRecord, 'id' | 'uri'>) => {
  const record = imageRecord({
    registry: 'docker.io',
    repository: 'library/python',
    tag: '3',
    source: 'reference',
    ...image,
  });
  await place.table.put(organisation, 'images', image.id, imageItem(place.table, organisation, record));
};

/** An image of Docker Hub, and its mirror: what of it was mirrored, and what the mirror is now. */
async function mirrored(was: string | undefined, isNow = was): Promise<void> {
  const mirror = { imageId: copy, uri: `${ecrRegistry}/acme/python:3`, digest: was ?? '' };
  await put({ id: source, uri: 'docker.io/library/python:3', digest: whole, mirror });
  await put({ id: copy, uri: mirror.uri, registry: ecrRegistry, digest: isNow, source: 'mirror' });
}

const atItsOwnPlace = {
  kind: 'manifest',
  uri: `https://registry-1.docker.io/v2/library/python/manifests/${whole}`,
  digest: whole,
};

describe('I14 where an image is to be had', () => {
  it('in the private registry that has a mirror of exactly this image', async () => {
    await mirrored(whole);
    expect((await get(source, 'location')).body).toEqual({
      kind: 'pull',
      uri: `${ecrRegistry}/acme/python@${whole}`,
      digest: whole,
    });
  });

  it.each([
    ['was mirrored for one platform', arm],
    ['was mirrored after its tag had moved', later],
  ])('only at its own place where it %s: the mirror is another image', async (_, digest) => {
    await mirrored(digest);
    expect((await get(source, 'location')).body).toEqual(atItsOwnPlace);
  });

  it('only at its own place where its mirror has become another image, or is gone', async () => {
    await mirrored(whole, later);
    expect((await get(source, 'location')).body).toEqual(atItsOwnPlace);
    await place.table.remove(organisation, 'images', copy);
    expect((await get(source, 'location')).body).toEqual(atItsOwnPlace);
  });
});

describe('I14 images of the catalogue', () => {
  const kubeflow = 'img_kubeflow-jupyter-scipy';
  const repository = 'kubeflownotebookswg/jupyter-scipy';
  beforeEach(() => place.registry.manifests.clear());

  it("say where they are, by the digest that the tag names now; the deployment's own too", async () => {
    const amd64 = putImage(place.registry, repository, 'amd64');
    const platform = { os: 'linux', architecture: 'amd64' };
    const digest = putIndex(place.registry, repository, 'v1.10.0', [{ digest: amd64, platform }]);
    expect(await get(kubeflow, 'location')).toMatchObject({
      status: 200,
      body: {
        kind: 'manifest',
        uri: `https://registry-1.docker.io/v2/${repository}/manifests/${digest}`,
        digest,
      },
    });
    expect((await get('img_slipway-python', 'location')).status).toBe(404);
    const own = putImage(place.registry, 'slipway/python', '1');
    expect((await get('img_slipway-python', 'location')).body).toMatchObject({ digest: own });
  });

  it('are no image where their registry has them no more, and none by another id', async () => {
    expect(await get(kubeflow, 'location')).toMatchObject({
      status: 422,
      body: {
        type: 'urn:slipway:problem:image-not-found',
        detail: expect.stringContaining(`${repository}:v1.10.0 does not exist in its registry`),
      },
    });
    expect((await get('img_kubeflow-none', 'location')).status).toBe(404);
  });

  it('have no Dockerfile here, which the answer says', async () => {
    expect(await get(kubeflow, 'dockerfile')).toMatchObject({
      status: 404,
      body: { detail: expect.stringContaining('did not build it') },
    });
    expect(await get('img_kubeflow-none', 'dockerfile')).toMatchObject({
      status: 404,
      body: { detail: 'There is no image with this id.' },
    });
  });
});
