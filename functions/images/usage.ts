import { conflict } from '../../shared/http/problem.ts';
import type { ImageRecord } from '../../shared/images/record.ts';
import { registryAnswer } from '../../shared/images/registry-answer.ts';
import { usageOf } from '../../shared/images/usage.ts';
import type { ImageUsage } from '../../shared/model/usage.ts';
import { parseReference, referenceOf } from '../../shared/registry/reference.ts';
import type { ImagesDependencies } from './dependencies.ts';

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
  const digest = image.digest ?? (image.source === 'catalogue' ? await lookUp(uri) : undefined);
  if (digest === undefined)
    throw conflict('image-not-ready', 'The image has no digest yet: wait until it is built.');
  return usageOf({ uri, digest, isPrivate });

  async function lookUp(text: string): Promise<string | undefined> {
    const { host = '', repository, ...rest } = parseReference(text);
    const manifest = await registryAnswer('{id}', async () =>
      (await access.clientFor(organisation, host, repository)).headManifest(repository, referenceOf(rest)),
    );
    return manifest?.digest;
  }
}
