/** I8: what a name means here and now, and by which rule. */

import { guessed } from '../../shared/images/guess.ts';
import { meaning } from '../../shared/images/meaning.ts';
import { nameSources } from '../../shared/images/name-sources.ts';
import { registryAnswer } from '../../shared/images/registry-answer.ts';
import type { ResolvedImage } from '../../shared/model/image.ts';
import { referenceOf } from '../../shared/registry/reference.ts';
import { resolveImageName } from '../../shared/registry/resolve.ts';
import type { ImagesDependencies } from './dependencies.ts';

/** Throws 422 for what is no name or no image, 404 and 409 for a name of the organisation that means none or several. */
export async function resolveImage(
  { table, registries, access }: Pick<ImagesDependencies, 'table' | 'registries' | 'access'>,
  organisation: string,
  requested: string | undefined,
): Promise<ResolvedImage> {
  const name = await meaning(() => resolveImageName(requested, nameSources(table, registries, organisation)));
  const { rule, uri, location, warnings } = name;
  const look = async () => {
    const client = await access.clientFor(organisation, location.host, location.repository);
    return client.resolveManifest(location.repository, referenceOf(location));
  };
  const manifest = await registryAnswer('/image', () => guessed(table, organisation, name, look));
  return { ...(requested === undefined ? {} : { requested }), rule, uri, digest: manifest.digest, warnings };
}
