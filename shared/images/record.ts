/** An image as the table keeps it, and as the API shows it. */
import type { Image } from '../model/image.ts';
import { parseReference } from '../registry/reference.ts';
import { columnKey, type Item, type Table } from '../store/table.ts';

export interface ImageRecord extends Item, Omit<Image, 'readme'> {
  version: number;
  /** The build that is under way, so that no second one begins. */
  activeBuildId?: string;
  /** Set before its tag is purged; from then on it can only be deleted, unless the registry refuses. */
  deleting?: true;
  /** The last build, whose request the next one starts from. */
  lastBuildId?: string;
  /** Kept apart, so that a page of images costs the same whatever their readmes. */
  hasReadme?: boolean;
}

/** What of a record decides its place in the indexes. */
type Columns = Pick<ImageRecord, 'id' | 'status' | 'repository' | 'tag' | 'registryId' | 'author'>;

/** The item that is written: the record with its keys, `undefined` fields left out. */
export function imageItem(table: Table, organisation: string, record: Columns & Item): Item {
  const { id } = record;
  const item: Item = {
    ...record,
    ...table.key(organisation, 'images', id),
    statusKey: columnKey(record.status, id),
    repositoryKey: columnKey(record.repository, id),
    tagKey: columnKey(record.tag, id),
    // Images of registries that were never connected come first: every image has a place in every order.
    registryKey: columnKey(record.registryId ?? '', id),
    authorKey: columnKey(record.author, id),
  };
  for (const [name, value] of Object.entries(item)) if (value === undefined) delete item[name];
  return item;
}

/** Named fields only, so that nothing internal slips out. */
export function imageOf(record: ImageRecord, readme?: string): Image {
  const { id, registryId, registry, repository, tag, uri, digest, sizeBytes, platforms, status } = record;
  const { source, author, createdAt, updatedAt, logo, currentBuild, mirror, validation } = record;
  return {
    id,
    registryId,
    registry,
    repository,
    tag,
    uri,
    digest,
    sizeBytes,
    platforms,
    status,
    source,
    author,
    createdAt,
    updatedAt,
    readme,
    logo,
    currentBuild,
    mirror,
    validation,
    parentUri: record.parentUri,
    catalogue: record.catalogue,
  };
}

/** Key of the lock that makes a name unique within a registry; `image-names` sorted by it finds a name in all of them. */
export const nameKey = (image: Pick<ImageRecord, 'repository' | 'tag' | 'registryId' | 'registry'>) =>
  `${namePrefix(image.repository, image.tag)}${image.registryId ?? `@${image.registry}`}`;

export const namePrefix = (repository: string, tag: string) => `${repository}:${tag}#`;

export async function findImage(
  table: Table,
  organisation: string,
  id: string,
): Promise<ImageRecord | undefined> {
  return (await table.get(organisation, 'images', id)) as ImageRecord | undefined;
}

/** Images of exactly this repository and tag, in whatever registry. */
export async function imagesByName(
  table: Table,
  organisation: string,
  repository: string,
  tag: string,
): Promise<ImageRecord[]> {
  const { items } = await table.query({
    organisation,
    collection: 'image-names',
    prefix: namePrefix(repository, tag),
    limit: 50,
    consistent: true,
  });
  const found = await Promise.all(
    items.map(({ imageId }) => findImage(table, organisation, String(imageId))),
  );
  return found.filter((image) => image !== undefined);
}

/** Tags of the images of exactly this repository, in whatever registry: of at most `limit` images. */
export async function tagsOf(
  table: Table,
  organisation: string,
  repository: string,
  limit: number,
): Promise<string[]> {
  const { items } = await table.query({
    organisation,
    collection: 'image-names',
    prefix: `${repository}:`,
    limit,
  });
  return [...new Set(items.flatMap(({ uri }) => parseReference(String(uri)).tag ?? []))];
}
