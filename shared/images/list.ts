/** Pages of the table of images (I1, R6). */
import type * as z from 'zod';
import type { Image, imageListQuery } from '../model/image.ts';
import { type ListRequest, list } from '../store/list.ts';
import type { Table } from '../store/table.ts';
import { idPrefix } from './id-range.ts';
import { type ImageRecord, imageOf } from './record.ts';

/** Everything but the look-up of one name. */
export type ImageQuery = Omit<z.output<typeof imageListQuery>, 'name'>;

/** Without readmes. */
export async function pageOfImages(
  table: Table,
  organisation: string,
  query: ImageQuery,
): Promise<{ items: Image[]; nextCursor?: string }> {
  const { items, nextCursor } = await list(table, listRequest(organisation, query));
  return {
    items: (items as ImageRecord[]).map((record) => imageOf(record)),
    ...(nextCursor === undefined ? {} : { nextCursor }),
  };
}

/** Creation times are the first part of ids, so a span of time is a range of keys. */
function listRequest(organisation: string, query: ImageQuery): ListRequest {
  const { limit, cursor, sort, q, status, repository, tag, registryId, author, source } = query;
  const { createdAt, createdAfter, createdBefore } = query;
  const from = idPrefix('image', createdAt ?? createdAfter ?? '1970-01-01T00:00:00.000Z');
  const to = createdAt ? `${from}\u007f` : idPrefix('image', createdBefore ?? '9999-01-01T00:00:00.000Z');
  const hasSpan = (createdAt ?? createdAfter ?? createdBefore) !== undefined;
  return {
    organisation,
    collection: 'images',
    limit,
    cursor,
    sort,
    q,
    filters: { status, repository, tag, registryId, author, source, createdAt, createdAfter, createdBefore },
    columns: {
      status: 'byStatus',
      repository: 'byRepository',
      tag: 'byTag',
      registryId: 'byRegistry',
      author: 'byAuthor',
    },
    searched: ['repository', 'tag', 'uri', 'author'],
    ...(hasSpan ? { ids: { from, to, columns: ['createdAt', 'createdAfter', 'createdBefore'] } } : {}),
    matches: (item, column, value) => {
      if (column === 'createdAfter') return String(item.createdAt) >= value;
      if (column === 'createdBefore') return String(item.createdAt) < value;
      return String(item[column] ?? '') === value;
    },
  };
}
