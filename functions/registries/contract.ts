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
    summary: 'List registries',
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
    responses: {
      201: { description: 'The connected registry', schema: registrySchema, headers: ['ETag', 'Location'] },
    },
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
    summary: 'Change the title, URL or credentials of a registry',
    description:
      'Omitted and null fields do not change. New credentials keep the ARN of the secret. While images of the registry are listed, Slipway refuses a `url` with another host or path (409 `registry-in-use`). Connect that place as another registry instead, and mirror the images there.',
    example: { title: 'Vision team', password: 'another robot token', username: 'my-team+slipway' },
    responses: {
      200: { description: 'The changed registry', schema: registrySchema, headers: ['ETag'] },
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
      'While images of the registry are listed, Slipway refuses the request unless `force=true`. The registry itself does not change.',
    responses: { 204: { description: 'Deleted' } },
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
    summary: 'Test a registry and its credentials',
    description: 'The answer is 200 for every finished check. If `ok` is false, `cause` names the reason.',
    example: { repository: 'vision/trainer' },
    responses: { 200: { description: 'The result of the check', schema: registryCheckResultSchema } },
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
    summary: 'List the images of a registry',
    description:
      'For a default registry, the images of the catalogue follow those of the organisation. `source=catalogue` lists only the catalogue.',
    responses: { 200: { description: 'A page of images', schema: imagePageSchema } },
  })),
  role: 'viewer',
  params,
  query: z.lazy(() => imageListQuery.unwrap().omit({ registryId: true, name: true })),
  problems: [404],
});
