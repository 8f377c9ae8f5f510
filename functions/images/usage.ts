import { conflict } from '../../shared/http/problem.ts';
import type { ImageRecord } from '../../shared/images/record.ts';
import { usageOf } from '../../shared/images/usage.ts';
import type { ImageUsage } from '../../shared/model/usage.ts';
import type { ImagesDependencies } from './dependencies.ts';
import { digestOf } from './digest.ts';

/** I12. Throws 409 `image-not-ready`, and 422 where an image of the catalogue can't be looked up. */
export async function useImage(
  { registries, access, ecrRegistry }: Pick<ImagesDependencies, 'registries' | 'access' | 'ecrRegistry'>,
  organisation: string,
  image: ImageRecord,
): Promise<ImageUsage> {
  const { uri, registryId } = image;
  const known = registryId === undefined ? undefined : await registries.get(organisation, registryId);
  const isPrivate =
    known !== undefined &&
    (known.registry.hasCredentials || known.registry.visibility === 'private' || known.host === ecrRegistry);
  const digest = await digestOf({ access }, organisation, image);
  if (digest === undefined)
    throw conflict('image-not-ready', 'The image has no digest yet. Wait until it is built.');
  return usageOf({
    uri,
    digest,
    isPrivate,
    isOwn: known?.host === ecrRegistry,
    username: known?.registry.username,
  });
}
