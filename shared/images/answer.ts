import type { Answer } from '../http/operation.ts';
import type { Table } from '../store/table.ts';
import { showImage } from './readme.ts';
import type { ImageRecord } from './record.ts';

/** What was accepted is followed at its build; what exists, at the image. */
const locationOf = (status: number, { id, lastBuildId }: ImageRecord): string =>
  status === 202 && lastBuildId ? `/v1/builds/${lastBuildId}` : `/v1/images/${id}`;

/** An image as an operation answers it, with its readme. */
export const imageAnswer = async (
  table: Table,
  status: number,
  organisation: string,
  record: ImageRecord,
): Promise<Answer> => ({
  status,
  body: await showImage(table, organisation, record),
  etag: record.version,
  ...(status === 200 ? {} : { headers: { location: locationOf(status, record) } }),
});
