import type * as z from 'zod';
import { readRequest } from '../../shared/build/request.ts';
import { conflict, invalid, ProblemError } from '../../shared/http/problem.ts';
import { pageWithCatalogue } from '../../shared/images/catalogue-pages.ts';
import { pageOfImages } from '../../shared/images/list.ts';
import { type ImageRecord, imageOf, imagesByName } from '../../shared/images/record.ts';
import type { Image, imageListQuery } from '../../shared/model/image.ts';
import type { Table } from '../../shared/store/table.ts';

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
    throw invalid(
      ...wrong.map((other) => ({ pointer: `?${other}`, message: 'must not be combined with `name`' })),
    );
  const colon = name.lastIndexOf(':');
  if (colon < 1 || name.indexOf('/', colon) >= 0 || colon === name.length - 1)
    throw invalid({ pointer: '?name', message: 'must be `repository:tag`' });
  const all = await imagesByName(table, organisation, name.slice(0, colon), name.slice(colon + 1));
  const found = registryId === undefined ? all : all.filter((image) => image.registryId === registryId);
  if (found.length > 1)
    throw conflict(
      'ambiguous-name',
      `"${name}" matches ${found.length} images: ${found.map(({ id, uri }) => `${uri} (${id})`).join(', ')}. Choose one with \`registryId\`.`,
      found.map(({ id }) => id),
    );
  return found.map((image) => imageOf(image));
}

/** The Dockerfile of the last build. Throws 404 for an image that was never built here. */
export async function readDockerfile(
  table: Table,
  organisation: string,
  { id, source, lastBuildId }: Pick<ImageRecord, 'id' | 'source' | 'lastBuildId'>,
): Promise<string> {
  const request = lastBuildId ? await readRequest(table, organisation, lastBuildId) : undefined;
  if (!request)
    throw new ProblemError(
      404,
      'not-found',
      `Image ${id} has no Dockerfile because Slipway did not build it (its source is \`${source}\`).`,
    );
  return request.dockerfile;
}
