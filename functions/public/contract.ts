import * as z from 'zod';
import { documented } from '../../shared/http/documented.ts';
import { operation } from '../../shared/http/operation.ts';

const tag = 'Service';

export const getHealth = operation({
  id: 'getHealth',
  method: 'GET',
  path: '/v1/health',
  documentation: documented(() => ({
    tag,
    summary: 'Check whether the API is up',
    responses: {
      200: {
        description: 'The API is up',
        schema: z.object({ status: z.literal('ok'), stage: z.string() }).meta({ id: 'Health' }),
      },
    },
  })),
  role: 'public',
});

export const getOpenApi = operation({
  id: 'getOpenApi',
  method: 'GET',
  path: '/v1/openapi.json',
  documentation: documented(() => ({
    tag,
    summary: 'Get the OpenAPI document',
    responses: {
      200: {
        description: 'The document, in OpenAPI 3.1',
        schema: z.record(z.string(), z.unknown()).meta({ id: 'OpenApiDocument' }),
      },
    },
  })),
  role: 'public',
});
