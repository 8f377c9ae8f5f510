import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { implement, type Operation, operation } from '../../../shared/http/operation.ts';
import { serve } from '../../../shared/http/serve.ts';
import type { Table } from '../../../shared/store/table.ts';
import { call, memoryLog } from '../../functions/event.ts';

const admins = { getAll: async () => [{ role: 'admin', createdAt: '2026-01-01T00:00:00.000Z' }] };
const body = z.strictObject({});
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

let handled = 0;
const handler = serve(
  methods.map((method) =>
    implement(
      operation({
        id: `${method}Thing`,
        method,
        path: '/v1/things',
        role: 'viewer',
        ...(method !== 'GET' && { body }),
      }) as Operation,
      async () => {
        handled += 1;
        return { status: 200, etag: 3, body: {} };
      },
    ),
  ),
  { now: () => new Date('2026-11-21T09:00:00Z'), table: admins as unknown as Table, log: memoryLog() },
);

const ask = async (method: string, header: string, value: string) => {
  handled = 0;
  return call(handler, {
    method,
    route: '/v1/things',
    ...(method !== 'GET' && { body: {} }),
    headers: { [header]: value },
  });
};

describe('a precondition', () => {
  it.each([
    ['GET', 'if-match', 'Omit If-Match: GET requests take If-None-Match.'],
    ['POST', 'if-match', 'Omit If-Match: POST requests take neither If-Match nor If-None-Match.'],
    ['POST', 'if-none-match', 'Omit If-None-Match: POST requests take neither If-Match nor If-None-Match.'],
    ['PUT', 'if-none-match', 'Omit If-None-Match: PUT requests take If-Match.'],
    ['PATCH', 'if-none-match', 'Omit If-None-Match: PATCH requests take If-Match.'],
    ['DELETE', 'if-none-match', 'Omit If-None-Match: DELETE requests take If-Match.'],
  ])('that the operation does not evaluate is refused: %s %s', async (method, header, detail) => {
    for (const value of ['*', '"3"', '']) {
      expect(await ask(method, header, value)).toMatchObject({
        status: 400,
        body: { type: 'urn:slipway:problem:invalid-precondition', detail },
      });
      expect(handled).toBe(0);
    }
  });

  it.each([
    ['GET', 'if-none-match'],
    ['PUT', 'if-match'],
    ['PATCH', 'if-match'],
    ['DELETE', 'if-match'],
  ])('that the operation evaluates is left to it: %s %s', async (method, header) => {
    expect((await ask(method, header, '"2"')).status).toBe(200);
    expect(handled).toBe(1);
  });
});
