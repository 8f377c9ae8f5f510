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

/** Behind every id that begins with `prefix`. */
const behind = (prefix: string) => `${prefix}\u007f`;

/** Creation times are the first part of ids, so a span of time is a range of keys: of several, where they overlap. */
function spanOf({ createdAt, createdAfter, createdBefore }: ImageQuery) {
  const spans = [
    ...(createdAt ? [{ from: idPrefix('image', createdAt), to: behind(idPrefix('image', createdAt)) }] : []),
    ...(createdAfter ? [{ from: idPrefix('image', createdAfter), to: behind('img_') }] : []),
    ...(createdBefore ? [{ from: 'img_', to: idPrefix('image', createdBefore) }] : []),
  ];
  if (spans.length === 0) return undefined;
  const [from = ''] = spans
    .map((one) => one.from)
    .sort()
    .reverse();
  const [to = ''] = spans.map((one) => one.to).sort();
  return { from, to };
}

function listRequest(organisation: string, query: ImageQuery): ListRequest {
  const { limit, cursor, sort, q, status, repository, tag, registryId, author, source } = query;
  const { createdAt, createdAfter, createdBefore } = query;
  const ids = spanOf(query);
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
    ...(ids ? { ids: { ...ids, columns: ['createdAt', 'createdAfter', 'createdBefore'] } } : {}),
    matches: (item, column, value) => {
      if (column === 'createdAfter') return String(item.createdAt) >= value;
      if (column === 'createdBefore') return String(item.createdAt) < value;
      return String(item[column] ?? '') === value;
    },
  };
}
