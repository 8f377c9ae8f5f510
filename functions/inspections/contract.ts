import * as z from 'zod';
import { documented } from '../../shared/http/documented.ts';
import { operation } from '../../shared/http/operation.ts';
import { idSchema } from '../../shared/model/id.ts';
import { inspectionSchema, inspectQuery, inspectReferenceSchema } from '../../shared/model/inspection.ts';

const tag = 'Images';
const answer = { 200: { description: 'The image, as its registry has it', schema: inspectionSchema } };

export const inspectImage = operation({
  id: 'inspectImage',
  method: 'GET',
  path: '/v1/images/{id}/inspect',
  documentation: documented(() => ({
    tag,
    summary: 'What an image is made of, asked of its registry',
    description:
      'Manifests, layers and configuration for one platform: those of the digest that the image has here. 409 `image-not-ready` before it has one; what the registry refuses is 422 with a code of its own, such as `image-no-platform` or `registry-rate-limited`.',
    responses: answer,
  })),
  role: 'viewer',
  params: z.object({ id: idSchema('image') }),
  query: inspectQuery,
  problems: [404, 409],
});

export const inspectReference = operation({
  id: 'inspectReference',
  method: 'POST',
  path: '/v1/images/inspect',
  documentation: documented(() => ({
    tag,
    summary: 'The same for an image that was not added, by its URL',
    description: "The credentials of the organisation's registries are used where one matches.",
    responses: answer,
  })),
  role: 'viewer',
  body: inspectReferenceSchema,
});
