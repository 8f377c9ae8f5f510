/** Images in the table, each as a build has left it where a test says nothing else. */
import { nameLock } from '../../../shared/images/names.ts';
import { type ImageRecord, imageItem } from '../../../shared/images/record.ts';
import type { Table } from '../../../shared/store/table.ts';

export function imageRecord(more: Partial<ImageRecord> & Pick<ImageRecord, 'id'>): ImageRecord {
  const { id, repository = `acme/${id.toLowerCase()}`, tag = '1' } = more;
  const { createdAt = '2026-11-20T10:00:00.000Z' } = more;
  return {
    version: 1,
    registry: 'r.example',
    repository,
    tag,
    uri: `r.example/${repository}:${tag}`,
    status: 'ready',
    source: 'build',
    author: 'ada@acme.example',
    createdAt,
    updatedAt: createdAt,
    ...more,
  };
}

/** Puts it into the table, with its name. */
export async function storeImage(
  table: Table,
  organisation: string,
  record: ImageRecord,
): Promise<ImageRecord> {
  await table.transact([
    { Put: { TableName: table.name, Item: imageItem(table, organisation, record) } },
    nameLock(table, organisation, record),
  ]);
  return record;
}
