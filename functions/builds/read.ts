import type * as z from 'zod';
import { adviceOn } from '../../shared/build/advice.ts';
import { type BuildRecord, buildOf } from '../../shared/build/record.ts';
import { type BuildRequest, readRequest } from '../../shared/build/request.ts';
import { notFound } from '../../shared/http/problem.ts';
import type { Build, BuildInputs, buildListQuery } from '../../shared/model/build.ts';
import { list } from '../../shared/store/list.ts';
import type { Table } from '../../shared/store/table.ts';

/** Throws 404 for what the organisation doesn't have. */
export async function requireBuild(table: Table, organisation: string, id: string): Promise<BuildRecord> {
  const record = (await table.get(organisation, 'builds', id)) as BuildRecord | undefined;
  if (!record) throw notFound('build');
  return record;
}

/** As it is answered: of a failure, what its mail says as well. */
export function shownBuild(record: BuildRecord): Build {
  const build = buildOf(record);
  const { failure } = record;
  return failure ? { ...build, failure: { ...failure, ...adviceOn(record, failure) } } : build;
}

/** With what it was made from: too much for a list. */
export async function detailedBuild(table: Table, organisation: string, record: BuildRecord): Promise<Build> {
  const request = await readRequest(table, organisation, record.id);
  return { ...shownBuild(record), source: request && sourceOf(request) };
}

const sourceOf = ({
  dockerfile,
  from,
  buildArgs,
  secrets,
  computes,
  contextUploadId,
  context,
  bases,
}: BuildRequest): BuildInputs => ({
  dockerfile,
  from,
  buildArgs,
  secrets,
  computes,
  contextUploadId,
  context: context && { sha256: context.sha256, sizeBytes: context.sizeBytes },
  bases,
});

export async function listBuilds(
  table: Table,
  organisation: string,
  { limit, cursor, sort, ...filters }: z.output<typeof buildListQuery>,
): Promise<{ items: Build[]; nextCursor?: string }> {
  const { items, nextCursor } = await list(table, {
    organisation,
    collection: 'builds',
    limit,
    cursor,
    sort,
    filters,
    columns: { status: 'byStatus', author: 'byAuthor', imageId: 'byImage' },
    searched: [],
  });
  return {
    items: (items as BuildRecord[]).map(shownBuild),
    ...(nextCursor === undefined ? {} : { nextCursor }),
  };
}
