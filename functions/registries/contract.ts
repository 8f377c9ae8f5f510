import * as z from 'zod';
import { documented } from '../../shared/http/documented.ts';
import { operation } from '../../shared/http/operation.ts';
import { flag, pageOf } from '../../shared/model/common.ts';
import { idSchema } from '../../shared/model/id.ts';
import { imageListQuery, imagePageSchema } from '../../shared/model/image.ts';
import {
  newRegistrySchema,
  registryChangeSchema,
  registryCheckResultSchema,
  registryCheckSchema,
  registryListQuery,
  registrySchema,
} from '../../shared/model/registry.ts';

const tag = 'Registries';
const params = z.object({ id: idSchema('registry') });

export const listRegistries = operation({
  id: 'listRegistries',
  method: 'GET',
  path: '/v1/registries',
  documentation: documented(() => ({
    tag,
    summary: 'List registries, the defaults among them',
    responses: {
      200: { description: 'A page of registries', schema: pageOf('RegistryPage', registrySchema) },
    },
  })),
  role: 'viewer',
  query: registryListQuery,
});

export const createRegistry = operation({
  id: 'createRegistry',
  method: 'POST',
  path: '/v1/registries',
  documentation: documented(() => ({
    tag,
    summary: 'Connect a registry',
    example: {
      title: 'Team space',
      url: 'quay.io/my-team',
      type: 'quay',
      username: 'my-team+slipway',
      password: 'a robot token',
      check: true,
    },
    responses: { 201: { description: 'Connected', schema: registrySchema, headers: ['ETag', 'Location'] } },
  })),
  role: 'admin',
  body: newRegistrySchema,
  secret: 'body',
  problems: [409],
});

export const getRegistry = operation({
  id: 'getRegistry',
  method: 'GET',
  path: '/v1/registries/{id}',
  documentation: documented(() => ({
    tag,
    summary: 'Get a registry',
    responses: { 200: { description: 'The registry', schema: registrySchema, headers: ['ETag'] } },
  })),
  role: 'viewer',
  params,
  problems: [404],
});

export const updateRegistry = operation({
  id: 'updateRegistry',
  method: 'PATCH',
  path: '/v1/registries/{id}',
  documentation: documented(() => ({
    tag,
    summary: 'Change title, url or credentials',
    description:
      'Missing and null fields are left alone. New credentials keep the identity of the secret. A `url` with another host or path is refused while images refer to the registry (409 `registry-in-use`): connect that place as another registry, and mirror the images there.',
    example: { title: 'Vision team', password: 'another robot token', username: 'my-team+slipway' },
    responses: {
      200: { description: 'The registry as it is now', schema: registrySchema, headers: ['ETag'] },
    },
  })),
  role: 'admin',
  params,
  body: registryChangeSchema,
  problems: [404, 409, 412],
});

export const deleteRegistry = operation({
  id: 'deleteRegistry',
  method: 'DELETE',
  path: '/v1/registries/{id}',
  documentation: documented(() => ({
    tag,
    summary: 'Disconnect a registry and delete its credentials',
    description:
      'Refused while images refer to it, unless `force=true`. Nothing in the registry itself is touched.',
    responses: { 204: { description: 'Gone' } },
  })),
  role: 'admin',
  params,
  query: z.strictObject({ force: flag(false) }),
  problems: [404, 409, 412],
});

export const checkRegistry = operation({
  id: 'checkRegistry',
  method: 'POST',
  path: '/v1/registries/{id}/check',
  documentation: documented(() => ({
    tag,
    summary: 'Try the registry and its credentials now',
    description:
      'The answer is 200 for a finished check, whatever it found; `cause` tells apart what is wrong.',
    example: { repository: 'vision/trainer' },
    responses: { 200: { description: 'What the check found', schema: registryCheckResultSchema } },
  })),
  role: 'editor',
  params,
  body: registryCheckSchema,
  bodyIsOptional: true,
  problems: [404],
});

export const listRegistryImages = operation({
  id: 'listRegistryImages',
  method: 'GET',
  path: '/v1/registries/{id}/images',
  documentation: documented(() => ({
    tag,
    summary: 'List the images of one registry',
    description:
      "Of a default registry also the catalogue's, after the organisation's own; `source=catalogue` lists only those.",
    responses: { 200: { description: 'A page of images', schema: imagePageSchema } },
  })),
  role: 'viewer',
  params,
  query: z.lazy(() => imageListQuery.unwrap().omit({ registryId: true, name: true })),
  problems: [404],
});
