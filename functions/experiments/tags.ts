/** Experiments by tag. */
import type { ExperimentRecord } from '../../shared/experiment/record.ts';
import { tagCollection as collection } from '../../shared/experiment/tags.ts';
import { decodeCursor, encodeCursor, fingerprintOf, invalidCursor } from '../../shared/store/cursor.ts';
import { columnPrefix, type Table } from '../../shared/store/table.ts';

/** What a list of experiments is asked for. */
export interface ExperimentList {
  limit: number;
  cursor?: string | undefined;
  sort: string;
  q?: string | undefined;
  tag?: string | undefined;
  status?: string | undefined;
  author?: string | undefined;
  project?: string | undefined;
}

/** Items that one request looks at, at most. */
const examineAtMost = 1000;
const atOnce = 50;

/** A page of those with the tag that `accepts`, in the order of their creation; short where few of many are accepted. */
export async function listByTag(
  table: Table,
  organisation: string,
  { tag, sort, limit, cursor, q, ...filters }: ExperimentList & { tag: string },
  accepts: (record: ExperimentRecord) => boolean,
): Promise<{ records: ExperimentRecord[]; nextCursor?: string }> {
  const fingerprint = fingerprintOf({ organisation, collection, sort, q, filters: { ...filters, tag } });
  const prefix = columnPrefix(tag);
  let start = cursor === undefined ? undefined : startAt(cursor, fingerprint, prefix);
  const records: ExperimentRecord[] = [];
  for (let examined = 0; ; ) {
    const page = await table.query({
      organisation,
      collection,
      prefix,
      descending: sort.startsWith('-'),
      limit: Math.min(atOnce, limit + 1),
      ...(start === undefined ? {} : { start: table.key(organisation, collection, start) }),
    });
    const found = await Promise.all(
      page.items.map(({ experimentId }) => table.get(organisation, 'experiments', String(experimentId))),
    );
    for (const [i, record] of found.entries()) {
      // One that was deleted since its tag was read is simply not there.
      if (record && accepts(record as ExperimentRecord)) {
        if (records.length === limit)
          return {
            records,
            ...(start === undefined ? {} : { nextCursor: encodeCursor(fingerprint, [start]) }),
          };
        records.push(record as ExperimentRecord);
      }
      start = String(page.items[i]?.sk);
    }
    examined += page.items.length;
    if (!page.last) return { records };
    start = String(page.last.sk);
    if (examined >= examineAtMost) return { records, nextCursor: encodeCursor(fingerprint, [start]) };
  }
}

function startAt(cursor: string, fingerprint: string, prefix: string): string {
  const [sk] = decodeCursor(cursor, fingerprint);
  if (typeof sk !== 'string' || !sk.startsWith(prefix)) throw invalidCursor();
  return sk;
}
