/** The operations of this function, bound to their use cases. */
import { type Implementation, implement } from '../../shared/http/operation.ts';
import * as contract from './contract.ts';
import { type InspectionDependencies, inspectKnown, inspectUrl } from './inspect.ts';

/** Left of a request's time for everything besides the registry. */
const reserveMs = 2000;

export const inspectionOperations = (dependencies: InspectionDependencies): Implementation[] => [
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
];
