import * as z from 'zod';
import { documented } from '../../shared/http/documented.ts';
import { operation, type RawBody } from '../../shared/http/operation.ts';
import { flag } from '../../shared/model/common.ts';
import { idSchema } from '../../shared/model/id.ts';
import {
  imageChangeSchema,
  imageListQuery,
  imageLocationSchema,
  imagePageSchema,
  imageSchema,
  resolvedImageSchema,
  resolveImageSchema,
} from '../../shared/model/image.ts';
import { lineageSchema } from '../../shared/model/lineage.ts';
import { anyBytes, logoTypes } from '../../shared/model/logo.ts';
import { usageSchema } from '../../shared/model/usage.ts';

const tag = 'Images';
const params = z.object({ id: idSchema('image') });

export const listImages = operation({
  id: 'listImages',
  method: 'GET',
  path: '/v1/images',
  documentation: documented(() => ({
    tag,
    summary: 'List images, or look one up by `repository:tag`',
    description:
      '`name` looks up one image and goes with `registryId` only; every other filter and the order can be combined.',
    responses: { 200: { description: 'A page of images', schema: imagePageSchema } },
  })),
  role: 'viewer',
  query: imageListQuery,
  problems: [409],
});

export const resolveImage = operation({
  id: 'resolveImage',
  method: 'POST',
  path: '/v1/images/resolve',
  documentation: documented(() => ({
    tag,
    summary: 'What an image name means here and now, and by which rule',
    example: { image: 'iris:v1' },
    responses: { 200: { description: 'What it means', schema: resolvedImageSchema } },
  })),
  role: 'viewer',
  body: resolveImageSchema,
  bodyIsOptional: true,
  problems: [404, 409],
});

export const getImage = operation({
  id: 'getImage',
  method: 'GET',
  path: '/v1/images/{id}',
  documentation: documented(() => ({
    tag,
    summary: 'Get an image',
    responses: { 200: { description: 'The image', schema: imageSchema, headers: ['ETag'] } },
  })),
  role: 'viewer',
  params,
  problems: [404],
});

export const updateImage = operation({
  id: 'updateImage',
  method: 'PATCH',
  path: '/v1/images/{id}',
  documentation: documented(() => ({
    tag,
    summary: 'Change readme or logo',
    description:
      'Missing and null fields are left alone; an empty readme removes it. A named logo takes the place of an uploaded one.',
    example: { readme: '# Trainer', logo: 'pytorch' },
    responses: { 200: { description: 'The image as it is now', schema: imageSchema, headers: ['ETag'] } },
  })),
  role: 'editor',
  params,
  body: imageChangeSchema,
  problems: [404, 409, 412],
});

export const deleteImage = operation({
  id: 'deleteImage',
  method: 'DELETE',
  path: '/v1/images/{id}',
  documentation: documented(() => ({
    tag,
    summary: 'Delete an image',
    description:
      'Refused while it is being built: stop the build first. `purge=true` also deletes its tag in its private registry, and nothing that another tag or an experiment under way needs; else nothing in the registry is touched.',
    responses: { 204: { description: 'Gone' } },
  })),
  role: 'editor',
  params,
  query: z.lazy(() => z.strictObject({ purge: flag(false) })),
  problems: [404, 409, 412],
});

export const getImageDockerfile = operation({
  id: 'getImageDockerfile',
  method: 'GET',
  path: '/v1/images/{id}/dockerfile',
  documentation: documented(() => ({
    tag,
    summary: 'The Dockerfile of the last build, as text',
    description: '404 for an image that was never built here, such as those of the catalogue.',
    responses: {
      200: { description: 'The Dockerfile', schema: z.string(), types: ['text/plain'] },
    },
  })),
  role: 'viewer',
  params,
  problems: [404],
});

export const getImageLogo = operation({
  id: 'getImageLogo',
  method: 'GET',
  path: '/v1/images/{id}/logo',
  documentation: documented(() => ({
    tag,
    summary: 'The picture of the logo',
    description:
      'The one that was uploaded, or a small one with the initials of a named logo. Its media type is `image/png` or `image/svg+xml`.',
    responses: {
      200: {
        description: 'The picture',
        schema: z.string(),
        types: [...logoTypes, anyBytes],
        headers: ['ETag'],
      },
    },
  })),
  role: 'viewer',
  params,
  problems: [404],
});

export const putImageLogo = operation({
  id: 'putImageLogo',
  method: 'PUT',
  path: '/v1/images/{id}/logo',
  documentation: documented(() => ({
    tag,
    summary: 'Upload a logo',
    description:
      'The body is the picture itself, PNG or SVG, at most 64 KiB. `image/png` and `image/svg+xml` are taken as its media type too. SVG that does more than draw (scripts, event handlers, HTML, animation, references to elsewhere, entities) is refused: 422 `logo-refused` says why.',
    responses: { 200: { description: 'The image as it is now', schema: imageSchema, headers: ['ETag'] } },
  })),
  role: 'editor',
  params,
  body: z.custom<RawBody>(),
  bodyTypes: [anyBytes, ...logoTypes],
  problems: [404, 409, 412],
});

export const deleteImageLogo = operation({
  id: 'deleteImageLogo',
  method: 'DELETE',
  path: '/v1/images/{id}/logo',
  documentation: documented(() => ({
    tag,
    summary: 'Take the logo away, uploaded or named',
    responses: { 204: { description: 'Gone' } },
  })),
  role: 'editor',
  params,
  problems: [404, 409, 412],
});

export const getImageUsage = operation({
  id: 'getImageUsage',
  method: 'GET',
  path: '/v1/images/{id}/usage',
  documentation: documented(() => ({
    tag,
    summary: 'Ready commands for using an image elsewhere',
    description:
      'Docker, Apptainer, Metaflow, Kubeflow and AWS Batch, pinned by digest. No credentials in it.',
    responses: { 200: { description: 'The commands', schema: usageSchema } },
  })),
  role: 'viewer',
  params,
  problems: [404, 409],
});

export const getImageLineage = operation({
  id: 'getImageLineage',
  method: 'GET',
  path: '/v1/images/{id}/lineage',
  documentation: documented(() => ({
    tag,
    summary: 'What an image is built on, and what is built on it',
    responses: { 200: { description: 'As data and as a graph', schema: lineageSchema } },
  })),
  role: 'viewer',
  params,
  problems: [404],
});

export const getImageLocation = operation({
  id: 'getImageLocation',
  method: 'GET',
  path: '/v1/images/{id}/location',
  documentation: documented(() => ({
    tag,
    summary: 'Where an image is to be had',
    description:
      'The URI to pull where a private registry has exactly the digest that the image has here, itself or as its last mirror; else the manifest URL. A mirror of one platform, or of what the tag named later, is another image.',
    responses: { 200: { description: 'The place', schema: imageLocationSchema } },
  })),
  role: 'viewer',
  params,
  problems: [404, 409],
});
