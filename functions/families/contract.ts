import { documented } from '../../shared/http/documented.ts';
import { operation } from '../../shared/http/operation.ts';
import { familySchema, newFamilySchema } from '../../shared/model/family.ts';

export const createFamily = operation({
  id: 'createFamily',
  method: 'POST',
  path: '/v1/families',
  documentation: documented(() => ({
    tag: 'Images',
    summary: 'Build images that are built on one another',
    description:
      'Each waits for the images of the family that it is built on (`waitsFor` of its build), and is built from exactly the digests that were built; where one fails, those built on it end with `base-failed`. An image that is there already is built again, and what has not changed is not. 422 with nothing written for a circle, and for an image that is neither in the family nor in its registry.',
    example: {
      images: [
        { repository: 'base', tag: 'v1', dockerfile: 'FROM python:3.13-slim\nRUN pip install numpy\n' },
        { repository: 'trainer', tag: 'v1', dockerfile: 'FROM base:v1\nRUN pip install scikit-learn\n' },
      ],
    },
    responses: {
      202: { description: 'The builds are accepted', schema: familySchema, headers: ['Location'] },
    },
  })),
  role: 'editor',
  body: newFamilySchema,
  problems: [404, 409, 503],
});
