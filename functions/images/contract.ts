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
      '`name` looks up one image and can be combined only with `registryId`. All other filters can be combined with each other and with any order.',
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
    summary: 'Resolve an image name',
    example: { image: 'iris:v1' },
    responses: {
      200: {
        description: 'The URI and digest, and the rule by which Slipway found them',
        schema: resolvedImageSchema,
      },
    },
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
    summary: 'Change the readme or logo of an image',
    description:
      'Omitted and null fields do not change. An empty readme removes it. A named logo replaces an uploaded one.',
    example: { readme: '# Trainer', logo: 'pytorch' },
    responses: { 200: { description: 'The changed image', schema: imageSchema, headers: ['ETag'] } },
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
      'Slipway refuses to delete an image that is being built: stop the build first. `purge=true` also deletes its tag in its private registry, except for data that another tag or a running experiment needs. Otherwise the registry does not change.',
    responses: { 204: { description: 'Deleted' } },
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
    summary: 'Get the Dockerfile of the last build',
    description:
      'The answer is 404 for an image that Slipway did not build, such as an image of the catalogue.',
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
    summary: 'Get the logo of an image',
    description:
      'Returns the uploaded picture, or a small picture with the initials of a named logo. The media type is `image/png` or `image/svg+xml`.',
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
      'The body is a PNG or SVG picture of at most 64 KiB. The media types `image/png` and `image/svg+xml` are accepted too. Slipway refuses SVG with active content (scripts, event handlers, HTML, animation, external references, entities): 422 `logo-refused` names the reason.',
    responses: { 200: { description: 'The changed image', schema: imageSchema, headers: ['ETag'] } },
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
    summary: 'Remove the logo of an image',
    responses: { 204: { description: 'Deleted' } },
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
    summary: 'Get commands for using an image elsewhere',
    description:
      'Returns commands for Docker, Apptainer, Metaflow, Kubeflow and AWS Batch, pinned by digest. They contain no credentials.',
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
    summary: 'Get the base images of an image, and the images built on it',
    responses: { 200: { description: 'The lineage as data and as a graph', schema: lineageSchema } },
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
    summary: 'Get the location of an image',
    description:
      'Returns the URI to pull if a private registry has the digest of the image, as the image itself or as its last mirror. Otherwise returns the URL of the manifest. A mirror with another digest, such as one of a single platform, does not count.',
    responses: { 200: { description: 'The location', schema: imageLocationSchema } },
  })),
  role: 'viewer',
  params,
  problems: [404, 409],
});
