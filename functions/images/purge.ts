/** I4: takes an image's tag out of its private registry, and nothing that another tag, or what is under way, needs. */
import { conflict, ProblemError } from '../../shared/http/problem.ts';
import type { ImageRecord } from '../../shared/images/record.ts';
import { registryAnswer } from '../../shared/images/registry-answer.ts';
import { type RegistryClient, RegistryError } from '../../shared/registry/model.ts';
import { parseReference } from '../../shared/registry/reference.ts';
import type { ImagesDependencies } from './dependencies.ts';
import { requireUnused } from './in-use.ts';

type Needs = Pick<ImagesDependencies, 'table' | 'registries' | 'access' | 'repositories' | 'ecrRegistry'>;

/** More tags than these are not looked through before a digest is deleted. */
const tagsAtMost = 500;

/**
 * Succeeds where the tag is gone already. Throws 409 `image-in-use`, `tag-moved`, `digest-shared`; 422
 * `registry-is-public`, `registry-refuses-deletion`, and what the registry answers.
 */
export async function purgeTag(dependencies: Needs, organisation: string, image: ImageRecord): Promise<void> {
  const { table, registries, access, repositories, ecrRegistry } = dependencies;
  const known =
    image.registryId === undefined ? undefined : await registries.get(organisation, image.registryId);
  if (!known || known.registry.visibility === 'public')
    throw new ProblemError(
      422,
      'registry-is-public',
      `${known?.registry.title ?? image.registry} is not a private registry of your organisation, so Slipway deletes nothing there. Omit \`purge\`.`,
    );
  const { host = '', repository, tag = 'latest' } = parseReference(image.uri);
  await registryAnswer('?purge', async () => {
    const client = await access.clientFor(organisation, host, repository);
    const there = await client.headManifest(repository, tag).catch((error: unknown) => {
      if (error instanceof RegistryError && error.code === 'not-found') return undefined;
      throw error;
    });
    if (!there) return;
    // An image that was never built has no digest: a tag of that name is nobody's here.
    if (there.digest !== image.digest)
      throw conflict(
        'tag-moved',
        `${image.uri} names ${there.digest}, but ${image.digest ? `the digest of this image is ${image.digest}` : 'no build of this image has succeeded'}. To delete only the record here, omit \`purge\`.`,
      );
    await requireUnused(table, organisation, image, there.digest);
    if (host === ecrRegistry) await repositories.removeTag(repository, tag);
    else await deleteTag(client, repository, tag, there.digest);
  });
}

/** Newer registries delete a tag; older ones only a manifest, which takes all its tags with it. */
async function deleteTag(
  client: RegistryClient,
  repository: string,
  tag: string,
  digest: string,
): Promise<void> {
  try {
    await client.deleteManifest(repository, tag);
    return;
  } catch (error) {
    if (!(error instanceof RegistryError) || error.code !== 'refused') throw error;
  }
  const tags = await client.listTags(repository, tagsAtMost);
  if (tags === undefined)
    throw conflict(
      'digest-shared',
      `${client.host} deletes whole manifests only, and ${repository} has too many tags to check which of them share this manifest. Omit \`purge\`.`,
    );
  const sharing: string[] = [];
  for (const other of tags)
    if (other !== tag && (await client.headManifest(repository, other))?.digest === digest)
      sharing.push(other);
  if (sharing.length > 0)
    throw conflict(
      'digest-shared',
      `${client.host} deletes whole manifests only, and this one is also tagged ${sharing.slice(0, 10).join(', ')}. Omit \`purge\`.`,
    );
  try {
    await client.deleteManifest(repository, digest);
  } catch (error) {
    if (!(error instanceof RegistryError) || error.code !== 'refused') throw error;
    throw new ProblemError(
      422,
      'registry-refuses-deletion',
      `${error.message}. The registry may not allow deletion. To delete only the record here, omit \`purge\`.`,
    );
  }
}
