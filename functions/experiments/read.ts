import type { ExperimentRecord } from '../../shared/experiment/record.ts';
import { notFound } from '../../shared/http/problem.ts';
import { list } from '../../shared/store/list.ts';
import type { Table } from '../../shared/store/table.ts';
import { type ExperimentList, listByTag } from './tags.ts';

/** Throws 404 for what the organisation doesn't have. */
export async function getExperiment(
  table: Table,
  organisation: string,
  id: string,
): Promise<ExperimentRecord> {
  const record = (await table.get(organisation, 'experiments', id)) as ExperimentRecord | undefined;
  if (!record) throw notFound('experiment');
  return record;
}

/** A page of the organisation's experiments. */
export async function listExperiments(
  table: Table,
  organisation: string,
  request: ExperimentList,
): Promise<{ records: ExperimentRecord[]; nextCursor?: string }> {
  const { limit, cursor, sort, q, ...filters } = request;
  const { tag, ...others } = filters;
  if (tag !== undefined && /^-?createdAt$/.test(sort))
    return listByTag(table, organisation, { ...request, tag }, (record) => {
      const equal = Object.entries(others).every(
        ([column, value]) => value === undefined || String(record[column] ?? '') === value,
      );
      return equal && (q === undefined || record.name.toLowerCase().includes(q.toLowerCase()));
    });
  const { items, nextCursor } = await list(table, {
    organisation,
    collection: 'experiments',
    limit,
    cursor,
    sort,
    q,
    filters,
    columns: { status: 'byStatus', author: 'byAuthor', project: 'byProject' },
    searched: ['name'],
    matches: (item, column, value) =>
      column === 'tag'
        ? (item as ExperimentRecord).tags.includes(value)
        : String(item[column] ?? '') === value,
  });
  return { records: items as ExperimentRecord[], ...(nextCursor === undefined ? {} : { nextCursor }) };
}
