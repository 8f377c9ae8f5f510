import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { publicOperations } from '../../../functions/public/operations.ts';
import { serve } from '../../../shared/http/serve.ts';
import { call, memoryLog } from '../event.ts';

const text = readFileSync(join(import.meta.dirname, '../../../functions/public/openapi.json'), 'utf8');
const handler = serve(
  publicOperations('test', () => text),
  { now: () => new Date(), log: memoryLog() },
);
const get = (route: string) => call(handler, { method: 'GET', route, caller: {} });

test('health and the OpenAPI document are for everybody', async () => {
  expect(await get('/v1/health')).toMatchObject({ status: 200, body: { status: 'ok', stage: 'test' } });
  const document = await get('/v1/openapi.json');
  expect(document.headers['content-type']).toBe('application/json');
  expect(document.body).toEqual(JSON.parse(text));
});
