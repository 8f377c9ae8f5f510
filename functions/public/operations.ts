import { type Implementation, implement } from '../../shared/http/operation.ts';
import * as contract from './contract.ts';

/** `document` answers the OpenAPI document as text. */
export const publicOperations = (stage: string, document: () => string): Implementation[] => [
  implement(contract.getHealth, async () => ({ status: 200, body: { status: 'ok', stage } })),
  implement(contract.getOpenApi, async () => ({
    status: 200,
    body: document(),
    headers: { 'content-type': 'application/json', 'cache-control': 'public, max-age=300' },
  })),
];
