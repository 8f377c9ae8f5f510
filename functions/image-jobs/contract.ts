import * as z from 'zod';
import { documented } from '../../shared/http/documented.ts';
import { operation } from '../../shared/http/operation.ts';
import { buildSchema } from '../../shared/model/build.ts';
import { idSchema } from '../../shared/model/id.ts';
import { imageSchema, newImageSchema, newMirrorSchema } from '../../shared/model/image.ts';
import { rebuildSchema } from '../../shared/model/new-build.ts';
import { newValidationSchema } from '../../shared/model/validation.ts';

export * from './dockerfile-contract.ts';

const tag = 'Images';
const params = z.object({ id: idSchema('image') });

export const createImage = operation({
  id: 'createImage',
  method: 'POST',
  path: '/v1/images',
  documentation: documented(() => ({
    tag,
    summary: 'Build an image, or add an existing one',
    description:
      'For a `build`, the answer is 202 and has the image with its build and final URI. For a `reference`, Slipway looks up the image in its registry first; the answer is 201, or 422 if the registry does not have it.',
    example: {
      repository: 'vision/trainer',
      tag: '1.4.0',
      readme: '# Trainer',
      source: {
        type: 'build',
        dockerfile: 'FROM python:3.13-slim\nRUN pip install numpy\n',
        buildArgs: { VERSION: '2' },
      },
    },
    responses: {
      201: { description: 'Slipway added the image', schema: imageSchema, headers: ['Location', 'ETag'] },
      202: { description: 'Slipway accepted the build', schema: imageSchema, headers: ['Location', 'ETag'] },
    },
  })),
  role: 'editor',
  body: newImageSchema,
  problems: [404, 409, 503],
});

export const createImageBuild = operation({
  id: 'createImageBuild',
  method: 'POST',
  path: '/v1/images/{id}/builds',
  documentation: documented(() => ({
    tag,
    summary: 'Build an image again, with changes',
    description:
      'Omitted fields keep their values from the previous build. So do omitted names in `buildArgs` and `secrets`; `null` removes a name. `GET /v1/builds/{id}` returns the inputs of a build in `source`. A ready image does not change until the build succeeds. While another build of this image is in progress, the answer is 409 `build-in-progress`.',
    example: { dockerfile: 'FROM python:3.13-slim\nRUN pip install numpy pandas\n' },
    responses: {
      202: { description: 'Slipway accepted the build', schema: imageSchema, headers: ['Location', 'ETag'] },
    },
  })),
  role: 'editor',
  params,
  body: rebuildSchema,
  bodyIsOptional: true,
  problems: [404, 409, 503],
});

export const createImageMirror = operation({
  id: 'createImageMirror',
  method: 'POST',
  path: '/v1/images/{id}/mirrors',
  documentation: documented(() => ({
    tag,
    summary: 'Copy an image into a private registry',
    description:
      'The answer has the new image with its job, which has the `kind` `mirror` and can be followed and stopped like a build. The job copies the digest that the tag names now, which can differ from the digest of the image in Slipway. Manifests keep their digests, existing layers are not copied again, and the tag is written last. If the tag already exists in the target registry, the answer is 409 `target-exists` unless `force` is true.',
    example: { repository: 'mirrors/python', tag: '3.13-slim', platform: 'linux/amd64' },
    responses: {
      202: { description: 'Slipway accepted the mirror', schema: imageSchema, headers: ['Location', 'ETag'] },
    },
  })),
  role: 'editor',
  params,
  body: newMirrorSchema,
  problems: [404, 409, 503],
});

export const createImageValidation = operation({
  id: 'createImageValidation',
  method: 'POST',
  path: '/v1/images/{id}/validations',
  documentation: documented(() => ({
    tag,
    summary: 'Start an image and check its capabilities',
    description:
      '`notebook` checks each point of the contract for Kubeflow notebook images. `capabilities` looks for the programs and packages that each kind of job needs. The answer is a job with the `kind` `validation`, which can be followed and stopped like a build and has the result. The image shows its last result.',
    example: { checks: ['capabilities'] },
    responses: {
      202: {
        description: 'Slipway accepted the validation',
        schema: buildSchema,
        headers: ['Location', 'ETag'],
      },
    },
  })),
  role: 'editor',
  params,
  body: newValidationSchema,
  bodyIsOptional: true,
  problems: [404, 409, 503],
});
