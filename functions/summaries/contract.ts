import * as z from 'zod';
import { documented } from '../../shared/http/documented.ts';
import { operation } from '../../shared/http/operation.ts';
import { idSchema } from '../../shared/model/id.ts';

export const getImageSummary = operation({
  id: 'getImageSummary',
  method: 'GET',
  path: '/v1/images/{id}/summary',
  documentation: documented(() => ({
    tag: 'Images',
    summary: 'A page about an image, to look at',
    description:
      'One HTML document with logo, facts, last build, results of checks and readme. It holds no script and loads nothing.',
    responses: {
      200: { description: 'The page', schema: z.string(), types: ['text/html'], headers: ['ETag'] },
    },
  })),
  role: 'viewer',
  params: z.object({ id: idSchema('image') }),
  problems: [404, 409],
});
