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
    summary: 'Get a summary page of an image',
    description:
      'Returns one HTML document with the logo, facts, last build, check results and readme. It contains no scripts and loads no other files.',
    responses: {
      200: { description: 'The page', schema: z.string(), types: ['text/html'], headers: ['ETag'] },
    },
  })),
  role: 'viewer',
  params: z.object({ id: idSchema('image') }),
  problems: [404, 409],
});

export const getBuildPage = operation({
  id: 'getBuildPage',
  method: 'GET',
  path: '/v1/builds/{id}/page',
  documentation: documented(() => ({
    tag: 'Builds',
    summary: 'Get the page of a build that its email links to',
    description:
      'Returns one HTML document with the result of the build and the end of its log. The request needs no token: the link in the email contains a key, which is valid for 30 days. Without a valid key, the answer is 404 with a page that says so.',
    responses: {
      200: { description: 'The page', schema: z.string(), types: ['text/html'] },
    },
  })),
  role: 'public',
  params: z.object({ id: idSchema('build') }),
  query: z.object({
    organisation: z.string().max(64).default(''),
    key: z.string().max(64).default(''),
  }),
});
