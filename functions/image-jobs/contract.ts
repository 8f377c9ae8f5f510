import * as z from 'zod';
import { documented } from '../../shared/http/documented.ts';
import { operation } from '../../shared/http/operation.ts';
import { buildSchema, rebuildSchema } from '../../shared/model/build.ts';
import { idSchema } from '../../shared/model/id.ts';
import { imageSchema, newImageSchema, newMirrorSchema } from '../../shared/model/image.ts';
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
    summary: 'Build an image, or add one that exists',
    description:
      'A `build` is accepted at once (202) and answers the image with its build and final URI. A `reference` is looked up in its registry first: 201, or 422 with nothing written.',
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
      201: { description: 'Added', schema: imageSchema, headers: ['Location', 'ETag'] },
      202: { description: 'The build is accepted', schema: imageSchema, headers: ['Location', 'ETag'] },
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
    summary: 'Build again, with changes',
    description:
      'What is left out is as in the build before; of `buildArgs` and `secrets`, each name that is left out (`null` drops it). `GET /v1/builds/{id}` shows in `source` what a build was made from. A ready image stays as it is until the build has succeeded. 409 `build-in-progress` while another build of this image is under way.',
    example: { dockerfile: 'FROM python:3.13-slim\nRUN pip install numpy pandas\n' },
    responses: {
      202: { description: 'The build is accepted', schema: imageSchema, headers: ['Location', 'ETag'] },
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
      'Accepted at once: the answer is the new image with its job, of `kind` `mirror`, which is followed and stopped like a build. What is copied is what the tag names at this moment, as for a launch: where it was moved since the image was added, another digest than the image has here. Manifests keep their digests, layers that are there already are not moved, and the tag is written last. Without `force`, 409 `target-exists` where the tag is there already.',
    example: { repository: 'mirrors/python', tag: '3.13-slim', platform: 'linux/amd64' },
    responses: {
      202: { description: 'The mirror is accepted', schema: imageSchema, headers: ['Location', 'ETag'] },
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
    summary: 'Start an image and check what it can do',
    description:
      '`notebook` checks the contract of Kubeflow notebooks, point by point; `capabilities` looks for what kinds of jobs need. The answer is the job, of `kind` `validation`, which is followed and stopped like a build and has the result; the image has the last one.',
    example: { checks: ['capabilities'] },
    responses: {
      202: { description: 'The validation is accepted', schema: buildSchema, headers: ['Location', 'ETag'] },
    },
  })),
  role: 'editor',
  params,
  body: newValidationSchema,
  bodyIsOptional: true,
  problems: [404, 409, 503],
});
