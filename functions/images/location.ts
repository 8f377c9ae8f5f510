/** I14: where an image is to be had: the URI to pull where a private registry has it, else the URL of its manifest. */
import { conflict } from '../../shared/http/problem.ts';
import { requireImage } from '../../shared/images/find.ts';
import { findImage } from '../../shared/images/record.ts';
import type { ImageLocationAnswer } from '../../shared/model/image.ts';
import { formatReference, parseReference } from '../../shared/registry/reference.ts';
import { apiHost } from '../../shared/registry/session.ts';
import type { ImagesDependencies } from './dependencies.ts';

/** Throws 404, and 409 `image-not-ready` for an image that isn't there yet. */
export async function locateImage(
  { table, registries }: Pick<ImagesDependencies, 'table' | 'registries'>,
  organisation: string,
  id: string,
): Promise<ImageLocationAnswer> {
  const image = await requireImage(table, organisation, id);
  const { digest, mirror, registryId } = image;
  if (!digest) throw conflict('image-not-ready', `The image is ${image.status}: it is nowhere yet.`);
  const known = registryId === undefined ? undefined : await registries.get(organisation, registryId);
  if (known?.registry.visibility === 'private') return pull(image.uri, digest);
  // A mirror of an earlier version is another image.
  const copy = mirror && (await findImage(table, organisation, mirror.imageId));
  if (mirror && copy?.digest === mirror.digest) return pull(mirror.uri, mirror.digest);
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
