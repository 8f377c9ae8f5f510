import type * as z from 'zod';
import { readRequest } from '../../shared/build/request.ts';
import { isCatalogueId } from '../../shared/catalogue/images.ts';
import { conflict, invalid, notFound } from '../../shared/http/problem.ts';
import { pageWithCatalogue } from '../../shared/images/catalogue-pages.ts';
import { catalogueImageById } from '../../shared/images/lineage.ts';
import { pageOfImages } from '../../shared/images/list.ts';
import { findImage, type ImageRecord, imageOf, imagesByName } from '../../shared/images/record.ts';
import type { Image, imageListQuery } from '../../shared/model/image.ts';
import type { Table } from '../../shared/store/table.ts';
import type { ImagesDependencies } from './dependencies.ts';

type Query = z.output<typeof imageListQuery>;

/** I1: a page of images, or with `name` the one image of that name (I5). Throws 409 where the name is ambiguous. */
export async function listImages(
  table: Table,
  organisation: string,
  query: Query,
  catalogue: () => Promise<ImageRecord[]> = async () => [],
): Promise<{ items: Image[]; nextCursor?: string }> {
  if (query.name !== undefined) return { items: await lookUp(table, organisation, query.name, query) };
  if (query.source !== 'catalogue') return await pageOfImages(table, organisation, query);
  return await pageWithCatalogue(table, organisation, query, catalogue);
}

async function lookUp(table: Table, organisation: string, name: string, query: Query): Promise<Image[]> {
  const { registryId } = query;
  const others = [
    'status',
    'repository',
    'tag',
    'author',
    'source',
    'createdAt',
    'createdAfter',
    'createdBefore',
    'q',
    'cursor',
  ] as const;
  const wrong = others.filter((other) => query[other] !== undefined);
  if (wrong.length > 0)
    throw invalid(...wrong.map((other) => ({ pointer: `?${other}`, message: 'does not go with name' })));
  const colon = name.lastIndexOf(':');
  if (colon < 1 || name.indexOf('/', colon) >= 0 || colon === name.length - 1)
    throw invalid({ pointer: '?name', message: 'is repository:tag' });
  const all = await imagesByName(table, organisation, name.slice(0, colon), name.slice(colon + 1));
  const found = registryId === undefined ? all : all.filter((image) => image.registryId === registryId);
  if (found.length > 1)
    throw conflict(
      'ambiguous-name',
      `"${name}" is the name of ${found.length} images: ${found.map(({ id, uri }) => `${uri} (${id})`).join(', ')}. Name its registry with registryId.`,
      found.map(({ id }) => id),
    );
  return found.map((image) => imageOf(image));
}

/** An image of the organisation or of the catalogue, to be looked at. Throws 404. */
export async function anyImage(
  dependencies: Pick<ImagesDependencies, 'table' | 'access' | 'ecrRegistry'>,
  organisation: string,
  id: string,
): Promise<ImageRecord> {
  if (!isCatalogueId(id)) return requireImage(dependencies.table, organisation, id);
  const image = await catalogueImageById(dependencies, organisation, id);
  if (!image) throw notFound('image');
  return image;
}

/** Throws 404 for what the organisation doesn't have, 409 `catalogue-image` for what everybody has. */
export async function requireImage(table: Table, organisation: string, id: string): Promise<ImageRecord> {
  if (isCatalogueId(id))
    throw conflict(
      'catalogue-image',
      'Images of the catalogue are read-only: add it to your own first, with POST /v1/images and its uri as the reference.',
    );
  const record = await findImage(table, organisation, id);
  if (!record) throw notFound('image');
  return record;
}

/** The image with its readme, which lies apart. */
export async function showImage(table: Table, organisation: string, record: ImageRecord): Promise<Image> {
  if (!record.hasReadme) return imageOf(record);
  const item = await table.get(organisation, 'readmes', record.id);
  return imageOf(record, item?.text as string | undefined);
}

/** The Dockerfile of the last build. Throws 404 for an image that was never built here. */
export async function readDockerfile(table: Table, organisation: string, id: string): Promise<string> {
  const { lastBuildId } = await requireImage(table, organisation, id);
  const request = lastBuildId ? await readRequest(table, organisation, lastBuildId) : undefined;
  if (!request) throw notFound('Dockerfile of this image');
  return request.dockerfile;
}
