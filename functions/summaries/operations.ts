import { type Implementation, implement } from '../../shared/http/operation.ts';
import type { Table } from '../../shared/store/table.ts';
import { getImageSummary } from './contract.ts';
import { pageHeaders } from './page.ts';
import { summarize } from './summary.ts';

export const summaryOperations = (table: Table): Implementation[] => [
  implement(getImageSummary, async ({ caller, params, now }) => {
    const { page, version } = await summarize(table, caller.organisation, params.id, now);
    return { status: 200, body: page, etag: version, headers: pageHeaders };
  }),
];
