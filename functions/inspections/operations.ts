/** The operations of this function, bound to their use cases. */
import { type Implementation, implement } from '../../shared/http/operation.ts';
import * as contract from './contract.ts';
import { type FindingsDependencies, readFindings, startScan } from './findings.ts';
import { type InspectionDependencies, inspectKnown, inspectUrl } from './inspect.ts';

/** Left of a request's time for everything besides the registry. */
const reserveMs = 2000;

export const inspectionOperations = (
  dependencies: InspectionDependencies & FindingsDependencies,
): Implementation[] => [
  implement(contract.inspectImage, async ({ caller, params, query, remainingMs }) => ({
    status: 200,
    body: await inspectKnown(dependencies, params.id, {
      organisation: caller.organisation,
      withinMs: remainingMs() - reserveMs,
      ...query,
    }),
  })),
  implement(contract.inspectReference, async ({ caller, body: { url, ...wanted }, remainingMs }) => ({
    status: 200,
    body: await inspectUrl(dependencies, url, {
      organisation: caller.organisation,
      withinMs: remainingMs() - reserveMs,
      ...wanted,
    }),
  })),
  implement(contract.listFindings, async ({ caller, params, query }) => ({
    status: 200,
    body: await readFindings(dependencies, caller.organisation, params.id, query),
  })),
  implement(contract.scanImage, async ({ caller, params }) => ({
    status: 202,
    body: await startScan(dependencies, caller.organisation, params.id),
    headers: { location: `/v1/images/${params.id}/findings` },
  })),
];
