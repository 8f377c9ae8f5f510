/** Pages of images with the catalogue's among them (I9). */

import type { Image } from '../model/image.ts';
import { smallPage } from '../store/small-list.ts';
import type { Table } from '../store/table.ts';
import { type ImageQuery, pageOfImages } from './list.ts';
import { type ImageRecord, imageOf } from './record.ts';

type Page = { items: Image[]; nextCursor?: string };

/** Tells a cursor into the catalogue from one into the table. */
const cursorPrefix = 'catalogue.';

/**
 * `catalogue` alone with `source=catalogue`; with another source none of it; else the organisation's own images, and
 * after the last of them the catalogue's in the same order.
 */
export async function pageWithCatalogue(
  table: Table,
  organisation: string,
  query: ImageQuery,
  catalogue: () => Promise<ImageRecord[]>,
): Promise<Page> {
  if (query.source !== undefined && query.source !== 'catalogue')
    return await pageOfImages(table, organisation, query);
  const inCatalogue = query.cursor?.startsWith(cursorPrefix) ?? false;
  if (query.source === 'catalogue' || inCatalogue)
    return cataloguePage(
      organisation,
      query,
      query.cursor?.slice(inCatalogue ? cursorPrefix.length : 0),
      await catalogue(),
    );
  const own = await pageOfImages(table, organisation, query);
  if (own.nextCursor !== undefined) return own;
  const room = query.limit - own.items.length;
  const all = await catalogue();
  if (room === 0)
    return cataloguePage(organisation, query, undefined, all).items.length > 0
      ? { ...own, nextCursor: cursorPrefix }
      : own;
  const rest = cataloguePage(organisation, { ...query, limit: room }, undefined, all);
  return { ...rest, items: [...own.items, ...rest.items] };
}

function cataloguePage(
  organisation: string,
  query: ImageQuery,
  cursor: string | undefined,
  all: ImageRecord[],
): Page {
  const { limit, sort, q, status, repository, tag, registryId, author, source } = query;
  const { createdAt, createdAfter, createdBefore } = query;
  const inTime = all.filter(
    (image) =>
      (createdAt === undefined || image.createdAt === createdAt) &&
      (createdAfter === undefined || image.createdAt >= createdAfter) &&
      (createdBefore === undefined || image.createdAt < createdBefore),
  );
  const page = smallPage(inTime, {
    organisation,
    collection: 'catalogue',
    limit,
    cursor: cursor === '' ? undefined : cursor,
    sort,
    q,
    filters: { status, repository, tag, registryId, author, source },
    searched: ['repository', 'tag', 'uri', 'author'],
  });
  return {
    items: page.items.map((record) => imageOf(record)),
    ...(page.nextCursor === undefined ? {} : { nextCursor: `${cursorPrefix}${page.nextCursor}` }),
  };
}
