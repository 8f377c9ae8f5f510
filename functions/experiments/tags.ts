/**
 * Experiments by tag. An experiment has many tags and an item one place in an index, so each tag is an item of its own,
 * written with the experiment or not at all: a page of a tag costs the page, however many experiments there are.
 */
import type { ExperimentRecord } from '../../shared/experiment/record.ts';
import { decodeCursor, encodeCursor, fingerprintOf, invalidCursor } from '../../shared/store/cursor.ts';
import { columnKey, columnPrefix, type Table, type Write } from '../../shared/store/table.ts';

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

const collection = 'experiment-tags';
/** Items that one request looks at, at most. */
const examineAtMost = 1000;
const atOnce = 50;

/** What makes the tags of an experiment `after` when they were `before`. */
export function tagWrites(
  table: Table,
  organisation: string,
  experimentId: string,
  before: readonly string[],
  after: readonly string[],
): Write[] {
  const key = (tag: string) => table.key(organisation, collection, columnKey(tag, experimentId));
  return [
    ...after
      .filter((tag) => !before.includes(tag))
      .map((tag) => ({ Put: { TableName: table.name, Item: { ...key(tag), tag, experimentId } } })),
    ...before
      .filter((tag) => !after.includes(tag))
      .map((tag) => ({ Delete: { TableName: table.name, Key: key(tag) } })),
  ];
}

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
    if (examined >= examineAtMost && start !== undefined)
      return { records, nextCursor: encodeCursor(fingerprint, [start]) };
  }
}

function startAt(cursor: string, fingerprint: string, prefix: string): string {
  const [sk] = decodeCursor(cursor, fingerprint);
  if (typeof sk !== 'string' || !sk.startsWith(prefix)) throw invalidCursor();
  return sk;
}
