import * as z from 'zod';
import { operation } from '../../shared/http/operation.ts';
import { buildSchema, rebuildSchema } from '../../shared/model/build.ts';
import { pageOf } from '../../shared/model/common.ts';
import { idSchema } from '../../shared/model/id.ts';
import {
  imageChangeSchema,
  imageListQuery,
  imageLocationSchema,
  imageSchema,
  newImageSchema,
  newMirrorSchema,
  resolvedImageSchema,
  resolveImageSchema,
} from '../../shared/model/image.ts';
import { lineageSchema } from '../../shared/model/lineage.ts';
import { usageSchema } from '../../shared/model/usage.ts';
import { newValidationSchema } from '../../shared/model/validation.ts';

export * from './dockerfile-contract.ts';

const tag = 'Images';
const params = z.object({ id: idSchema('image') });

export const listImages = operation({
  id: 'listImages',
  method: 'GET',
  path: '/v1/images',
  tag,
  summary: 'List images, or look one up by `repository:tag`',
  description:
    '`name` looks up one image and goes with `registryId` only; every other filter and the order can be combined.',
  role: 'viewer',
  query: imageListQuery,
  responses: { 200: { description: 'A page of images', schema: pageOf(imageSchema) } },
  problems: [409],
});

export const createImage = operation({
  id: 'createImage',
  method: 'POST',
  path: '/v1/images',
  tag,
  summary: 'Build an image, or add one that exists',
  description:
    'A `build` is accepted at once (202) and answers the image with its build and final URI. A `reference` is looked up in its registry first: 201, or 422 with nothing written.',
  role: 'editor',
  body: newImageSchema,
  responses: {
    201: { description: 'Added', schema: imageSchema, headers: ['Location', 'ETag'] },
    202: { description: 'The build is accepted', schema: imageSchema, headers: ['Location', 'ETag'] },
  },
  problems: [409, 502],
});

export const resolveImage = operation({
  id: 'resolveImage',
  method: 'POST',
  path: '/v1/images/resolve',
  tag,
  summary: 'What an image name means here and now, and by which rule',
  role: 'viewer',
  body: resolveImageSchema,
  responses: { 200: { description: 'What it means', schema: resolvedImageSchema } },
  problems: [404, 409, 502],
});

export const getImage = operation({
  id: 'getImage',
  method: 'GET',
  path: '/v1/images/{id}',
  tag,
  summary: 'Get an image',
  role: 'viewer',
  params,
  responses: { 200: { description: 'The image', schema: imageSchema, headers: ['ETag'] } },
  problems: [404],
});

export const updateImage = operation({
  id: 'updateImage',
  method: 'PATCH',
  path: '/v1/images/{id}',
  tag,
  summary: 'Change readme or logo',
  description: 'Missing and null fields are left alone; an empty readme removes it.',
  role: 'editor',
  params,
  body: imageChangeSchema,
  responses: { 200: { description: 'The image as it is now', schema: imageSchema, headers: ['ETag'] } },
  problems: [404, 409, 412],
});

export const deleteImage = operation({
  id: 'deleteImage',
  method: 'DELETE',
  path: '/v1/images/{id}',
  tag,
  summary: 'Delete an image',
  description:
    'Refused while it is being built: stop the build first. `purge=true` also deletes its tag in its private registry, and nothing that another tag or an experiment under way needs; else nothing in the registry is touched.',
  role: 'editor',
  params,
  query: z.lazy(() => z.strictObject({ purge: z.stringbool().default(false) })),
  responses: { 204: { description: 'Gone' } },
  problems: [404, 409, 412],
});

export const getImageDockerfile = operation({
  id: 'getImageDockerfile',
  method: 'GET',
  path: '/v1/images/{id}/dockerfile',
  tag,
  summary: 'The Dockerfile of the last build, as text',
  role: 'viewer',
  params,
  responses: {
    200: { description: 'text/plain', schema: z.string() },
  },
  problems: [404],
});

export const createImageBuild = operation({
  id: 'createImageBuild',
  method: 'POST',
  path: '/v1/images/{id}/builds',
  tag,
  summary: 'Build again, with changes',
  description:
    'What is left out is as in the build before. A ready image stays as it is until the build has succeeded. 409 `build-in-progress` while another build of this image is under way.',
  role: 'editor',
  params,
  body: rebuildSchema,
  responses: {
    202: { description: 'The build is accepted', schema: imageSchema, headers: ['Location', 'ETag'] },
  },
  problems: [404, 409],
});

export const createImageMirror = operation({
  id: 'createImageMirror',
  method: 'POST',
  path: '/v1/images/{id}/mirrors',
  tag,
  summary: 'Copy an image into a private registry',
  description:
    'Accepted at once: the answer is the new image with its job, of `kind` `mirror`, which is followed and stopped like a build. Manifests keep their digests, layers that are there already are not moved, and the tag is written last. Without `force`, 409 `target-exists` where the tag is there already.',
  role: 'editor',
  params,
  body: newMirrorSchema,
  responses: {
    202: { description: 'The mirror is accepted', schema: imageSchema, headers: ['Location', 'ETag'] },
  },
  problems: [404, 409, 502],
});

export const createImageValidation = operation({
  id: 'createImageValidation',
  method: 'POST',
  path: '/v1/images/{id}/validations',
  tag,
  summary: 'Start an image and check what it can do',
  description:
    '`notebook` checks the contract of Kubeflow notebooks, point by point; `capabilities` looks for what kinds of jobs need. The answer is the job, of `kind` `validation`, which is followed and stopped like a build and has the result; the image has the last one.',
  role: 'editor',
  params,
  body: newValidationSchema,
  responses: {
    202: { description: 'The validation is accepted', schema: buildSchema, headers: ['Location', 'ETag'] },
  },
  problems: [404, 409],
});

export const getImageUsage = operation({
  id: 'getImageUsage',
  method: 'GET',
  path: '/v1/images/{id}/usage',
  tag,
  summary: 'Ready commands for using an image elsewhere',
  description: 'Docker, Apptainer, Metaflow, Kubeflow and AWS Batch, pinned by digest. No credentials in it.',
  role: 'viewer',
  params,
  responses: { 200: { description: 'The commands', schema: usageSchema } },
  problems: [404, 409],
});

export const getImageLineage = operation({
  id: 'getImageLineage',
  method: 'GET',
  path: '/v1/images/{id}/lineage',
  tag,
  summary: 'What an image is built on, and what is built on it',
  role: 'viewer',
  params,
  responses: { 200: { description: 'As data and as a graph', schema: lineageSchema } },
  problems: [404],
});

export const getImageLocation = operation({
  id: 'getImageLocation',
  method: 'GET',
  path: '/v1/images/{id}/location',
  tag,
  summary: 'Where an image is to be had',
  description:
    'The URI to pull where a private registry has it, itself or as a mirror; else the manifest URL.',
  role: 'viewer',
  params,
  responses: { 200: { description: 'The place', schema: imageLocationSchema } },
  problems: [404, 409],
});
