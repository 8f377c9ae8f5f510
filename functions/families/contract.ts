import { documented } from '../../shared/http/documented.ts';
import { operation } from '../../shared/http/operation.ts';
import { familySchema, newFamilySchema } from '../../shared/model/family.ts';

export const createFamily = operation({
  id: 'createFamily',
  method: 'POST',
  path: '/v1/families',
  documentation: documented(() => ({
    tag: 'Images',
    summary: 'Build images that depend on one another',
    description:
      'Each build waits for the images of the family that it depends on (`waitsFor`) and uses exactly their digests. If a build fails, the builds that depend on it end with `base-failed`. Existing images are built again, but Slipway reuses identical builds. If images depend on each other in a circle, or on one that is neither in the family nor in its registry, the answer is 422 and nothing is built.',
    example: {
      images: [
        { repository: 'base', tag: 'v1', dockerfile: 'FROM python:3.13-slim\nRUN pip install numpy\n' },
        { repository: 'trainer', tag: 'v1', dockerfile: 'FROM base:v1\nRUN pip install scikit-learn\n' },
      ],
    },
    responses: {
      202: { description: 'Slipway accepted the builds', schema: familySchema, headers: ['Location'] },
    },
  })),
  role: 'editor',
  body: newFamilySchema,
  problems: [404, 409, 503],
});
