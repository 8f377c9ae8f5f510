/** I3: what the page about an image tells, gathered from what the table has. */
import type { BuildRecord } from '../../shared/build/record.ts';
import { requireImage } from '../../shared/images/find.ts';
import { readLogo } from '../../shared/images/logo.ts';
import { showImage } from '../../shared/images/readme.ts';
import type { Table } from '../../shared/store/table.ts';
import { pageOf } from './page.ts';

/** Throws 404, and 409 `catalogue-image` for images that everybody has. */
export async function summarize(
  table: Table,
  organisation: string,
  id: string,
  now: Date,
): Promise<{ page: string; version: number }> {
  const record = await requireImage(table, organisation, id);
  const [image, logo, build] = await Promise.all([
    showImage(table, organisation, record),
    readLogo(table, organisation, record),
    record.currentBuild ? table.get(organisation, 'builds', record.currentBuild.id) : undefined,
  ]);
  return {
    page: pageOf({ image, logo, build: build as BuildRecord | undefined, now }),
    version: record.version,
  };
}
