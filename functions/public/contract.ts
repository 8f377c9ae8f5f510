import * as z from 'zod';
import { operation } from '../../shared/http/operation.ts';

const tag = 'Service';

export const getHealth = operation({
  id: 'getHealth',
  method: 'GET',
  path: '/v1/health',
  tag,
  summary: 'Whether the API answers',
  role: 'public',
  responses: {
    200: {
      description: 'It does',
      schema: z.object({ status: z.literal('ok'), stage: z.string() }).meta({ id: 'Health' }),
    },
  },
});

export const getOpenApi = operation({
  id: 'getOpenApi',
  method: 'GET',
  path: '/v1/openapi.json',
  tag,
  summary: 'This document',
  role: 'public',
  responses: {
    200: {
      description: 'OpenAPI 3.1',
      schema: z.record(z.string(), z.unknown()).meta({ id: 'OpenApiDocument' }),
    },
  },
});
