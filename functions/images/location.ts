/** I14: where an image is to be had: the URI to pull where a private registry has it, else the URL of its manifest. */
import { conflict } from '../../shared/http/problem.ts';
import { findImage, type ImageRecord } from '../../shared/images/record.ts';
import type { ImageLocationAnswer } from '../../shared/model/image.ts';
import { formatReference, parseReference } from '../../shared/registry/reference.ts';
import { apiHost } from '../../shared/registry/session.ts';
import type { ImagesDependencies } from './dependencies.ts';
import { digestOf } from './digest.ts';

/** Throws 409 `image-not-ready` for an image that isn't there yet, and 422 where one of the catalogue can't be looked up. */
export async function locateImage(
  { table, registries, access }: Pick<ImagesDependencies, 'table' | 'registries' | 'access'>,
  organisation: string,
  image: ImageRecord,
): Promise<ImageLocationAnswer> {
  const { mirror, registryId } = image;
  const digest = await digestOf({ access }, organisation, image);
  if (!digest) throw conflict('image-not-ready', `The image is ${image.status}, so it has no location yet.`);
  const known = registryId === undefined ? undefined : await registries.get(organisation, registryId);
  if (known?.registry.visibility === 'private') return pull(image.uri, digest);
  // A mirror of one platform, or of what the tag came to name since, is another image.
  const copy = mirror?.digest === digest && (await findImage(table, organisation, mirror.imageId));
  if (mirror && copy && copy.digest === digest) return pull(mirror.uri, digest);
  const { host = '', repository } = parseReference(image.uri);
  const scheme = known?.insecure ? 'http' : 'https';
  return {
    kind: 'manifest',
    uri: `${scheme}://${apiHost(host)}/v2/${repository}/manifests/${digest}`,
    digest,
  };
}

function pull(uri: string, digest: string): ImageLocationAnswer {
  const { host, repository } = parseReference(uri);
  return { kind: 'pull', uri: formatReference({ ...(host ? { host } : {}), repository, digest }), digest };
}
