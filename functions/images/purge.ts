/** I4: takes an image's tag out of its private registry, and nothing that another tag or a running experiment needs. */
import type { ExperimentRecord } from '../../shared/experiment/record.ts';
import { conflict, ProblemError } from '../../shared/http/problem.ts';
import type { ImageRecord } from '../../shared/images/record.ts';
import { registryAnswer } from '../../shared/images/registry-answer.ts';
import { type RegistryClient, RegistryError } from '../../shared/registry/model.ts';
import { parseReference } from '../../shared/registry/reference.ts';
import { columnPrefix, type Item } from '../../shared/store/table.ts';
import type { ImagesDependencies } from './dependencies.ts';

type Needs = Pick<ImagesDependencies, 'table' | 'registries' | 'access' | 'repositories' | 'ecrRegistry'>;

/** More tags than these are not looked through before a digest is deleted. */
const tagsAtMost = 500;

/**
 * Succeeds where the tag is gone already. Throws 409 `image-in-use`, `tag-moved`, `digest-shared`; 422
 * `registry-is-public`, `registry-refuses-deletion`, and what the registry answers.
 */
export async function purgeTag(dependencies: Needs, organisation: string, image: ImageRecord): Promise<void> {
  const { registries, access, repositories, ecrRegistry } = dependencies;
  const known =
    image.registryId === undefined ? undefined : await registries.get(organisation, image.registryId);
  if (!known || known.registry.visibility === 'public')
    throw new ProblemError(
      422,
      'registry-is-public',
      `${known?.registry.title ?? image.registry} is not a private registry of yours: nothing can be deleted there. Leave \`purge\` out.`,
    );
  const { host = '', repository, tag = 'latest' } = parseReference(image.uri);
  await registryAnswer('?purge', async () => {
    const client = await access.clientFor(organisation, host, repository);
    const there = await client.headManifest(repository, tag).catch((error: unknown) => {
      if (error instanceof RegistryError && error.code === 'not-found') return undefined;
      throw error;
    });
    if (!there) return;
    if (image.digest !== undefined && there.digest !== image.digest)
      throw conflict(
        'tag-moved',
        `${image.uri} is another image by now (${there.digest}): somebody else pushed it. Leave \`purge\` out.`,
      );
    await requireUnused(dependencies, organisation, image, there.digest);
    if (host === ecrRegistry) await repositories.removeTag(repository, tag);
    else await deleteTag(client, repository, tag, there.digest);
  });
}

/** An experiment that is under way pulls its image by digest; one that has yet to look its image up, by its name. */
async function requireUnused(
  { table }: Needs,
  organisation: string,
  { id, uri, repository, tag }: ImageRecord,
  digest: string,
): Promise<void> {
  const names = [id, uri, `${repository}:${tag}`];
  const uses = ({ image }: ExperimentRecord) =>
    image.digest === undefined ? names.includes(image.requested ?? '') : image.digest === digest;
  for (const status of ['pending', 'provisioning', 'running']) {
    let start: Item | undefined;
    do {
      const { items, last } = await table.query({
        organisation,
        collection: 'experiments',
        index: 'byStatus',
        prefix: columnPrefix(status),
        limit: 1000,
        ...(start ? { start } : {}),
      });
      const users = (items as ExperimentRecord[]).filter(uses);
      if (users.length > 0)
        throw conflict(
          'image-in-use',
          `Experiments that are under way need it: ${users.map((one) => one.id).join(', ')}.`,
          users.map((one) => one.id),
        );
      start = last;
    } while (start);
  }
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
      `${client.host} deletes whole manifests only, and ${repository} has too many tags to see which share one.`,
    );
  const sharing: string[] = [];
  for (const other of tags)
    if (other !== tag && (await client.headManifest(repository, other))?.digest === digest)
      sharing.push(other);
  if (sharing.length > 0)
    throw conflict(
      'digest-shared',
      `${client.host} deletes whole manifests only, and this one is also tagged ${sharing.slice(0, 10).join(', ')}. Leave \`purge\` out.`,
    );
  try {
    await client.deleteManifest(repository, digest);
  } catch (error) {
    if (!(error instanceof RegistryError) || error.code !== 'refused') throw error;
    throw new ProblemError(
      422,
      'registry-refuses-deletion',
      `${error.message}. Its operator may have switched deletion off; leave \`purge\` out to delete only here.`,
    );
  }
}
