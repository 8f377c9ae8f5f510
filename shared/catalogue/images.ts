/** The catalogue as images of the default registries: computed, never stored, so nobody can change or lose them. */
import type { ImageRecord } from '../images/record.ts';
import { defaultImages } from '../model/default-images.ts';
import type { RegistryAccess } from '../registry/access.ts';
import { defaultRegistryIds, slipwayNamespace } from '../registry/defaults.ts';
import { RegistryError } from '../registry/model.ts';
import { dockerHub } from '../registry/reference.ts';
import {
  type KubeflowImage,
  kubeflowBase,
  kubeflowImages,
  kubeflowOnGithub,
  kubeflowRepository,
  kubeflowTag,
} from './kubeflow.ts';

/** Older than anything stored. */
const since = '1970-01-01T00:00:00.000Z';

const common = {
  version: 0,
  status: 'ready',
  source: 'catalogue',
  author: 'slipway',
  createdAt: since,
  updatedAt: since,
} as const;

const kubeflowUri = (name: string) => `${dockerHub}/${kubeflowRepository(name)}:${kubeflowTag}`;

function ofKubeflow({ name, parent, ide, accelerator, deprecated }: KubeflowImage): ImageRecord {
  return {
    ...common,
    id: `img_kubeflow-${name}`,
    registryId: defaultRegistryIds.dockerHub,
    registry: dockerHub,
    repository: kubeflowRepository(name),
    tag: kubeflowTag,
    uri: kubeflowUri(name),
    ...(ide === 'jupyterlab' ? { logo: 'jupyter' as const } : {}),
    parentUri: parent === undefined ? kubeflowBase : kubeflowUri(parent),
    catalogue: {
      family: 'kubeflow',
      ...(ide ? { ide } : {}),
      ...(accelerator ? { accelerator } : {}),
      deprecated: deprecated ?? false,
      alsoAt: [kubeflowOnGithub(name)],
    },
  };
}

/** Every image that could be there; `ecrRegistry` is the host of the deployment's own ECR. */
function allImages(ecrRegistry: string): ImageRecord[] {
  const own = defaultImages.map(({ name, tag, base }): ImageRecord => {
    const repository = `${slipwayNamespace}/${name}`;
    return {
      ...common,
      id: `img_slipway-${name}`,
      registryId: defaultRegistryIds.slipway,
      registry: ecrRegistry,
      repository: name,
      tag,
      uri: `${ecrRegistry}/${repository}:${tag}`,
      logo: 'python',
      parentUri: base,
      catalogue: { family: 'slipway', deprecated: false, alsoAt: [] },
    };
  });
  return [...own, ...kubeflowImages.map(ofKubeflow)];
}

export const isCatalogueId = (id: string): boolean => /^img_(?:kubeflow|slipway)-/.test(id);

/** By its fixed id, whether or not somebody published it. */
export const catalogueImage = (ecrRegistry: string, id: string): ImageRecord | undefined =>
  isCatalogueId(id) ? allImages(ecrRegistry).find((image) => image.id === id) : undefined;

/** By where it is: Kubeflow's are in two registries. */
export const catalogueImageAt = (ecrRegistry: string, uri: string): ImageRecord | undefined =>
  allImages(ecrRegistry).find((image) => image.uri === uri || image.catalogue?.alsoAt.includes(uri));

export interface CatalogueDependencies {
  access: Pick<RegistryAccess, 'clientFor'>;
  ecrRegistry: string;
}

/** Kubeflow's images, and those of the deployment's own that are really in its ECR, with their digests. */
export async function publishedImages(
  { access, ecrRegistry }: CatalogueDependencies,
  organisation: string,
): Promise<ImageRecord[]> {
  const found = await Promise.all(
    allImages(ecrRegistry).map(async (image) => {
      if (image.catalogue?.family !== 'slipway') return image;
      const digest = await digestOf(access, organisation, image);
      return digest === undefined ? undefined : { ...image, digest };
    }),
  );
  return found.filter((image) => image !== undefined);
}

async function digestOf(
  access: CatalogueDependencies['access'],
  organisation: string,
  { registry, repository, tag }: ImageRecord,
): Promise<string | undefined> {
  const path = `${slipwayNamespace}/${repository}`;
  try {
    const client = await access.clientFor(organisation, registry, path);
    return (await client.headManifest(path, tag))?.digest;
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'not-found') return undefined;
    throw error;
  }
}
