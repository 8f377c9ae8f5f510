import { type Implementation, implement } from '../../shared/http/operation.ts';
import { buildPage, noPage } from './build-page.ts';
import * as contract from './contract.ts';
import type { SummaryDependencies } from './dependencies.ts';
import { pageHeaders } from './document.ts';
import { summarize } from './summary.ts';

export const summaryOperations = (dependencies: SummaryDependencies): Implementation[] => [
  implement(contract.getImageSummary, async ({ caller, params, now }) => {
    const { page, version } = await summarize(dependencies.table, caller.organisation, params.id, now);
    return { status: 200, body: page, etag: version, headers: pageHeaders };
  }),
  implement(contract.getBuildPage, async ({ params: { id }, query, now }) => {
    const page = await buildPage(dependencies, { ...query, id }, now);
    return page === undefined
      ? { status: 404, body: noPage(), headers: pageHeaders }
      : { status: 200, body: page, headers: pageHeaders };
  }),
];
