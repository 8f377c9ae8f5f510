import * as z from 'zod';
import { operation } from '../../shared/http/operation.ts';
import { pageOf } from '../../shared/model/common.ts';
import { idSchema } from '../../shared/model/id.ts';
import { imageListQuery, imageSchema } from '../../shared/model/image.ts';
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
  tag,
  summary: 'List registries, the defaults among them',
  role: 'viewer',
  query: registryListQuery,
  responses: { 200: { description: 'A page of registries', schema: pageOf(registrySchema) } },
});

export const createRegistry = operation({
  id: 'createRegistry',
  method: 'POST',
  path: '/v1/registries',
  tag,
  summary: 'Connect a registry',
  role: 'admin',
  body: newRegistrySchema,
  secret: 'body',
  responses: { 201: { description: 'Connected', schema: registrySchema, headers: ['ETag', 'Location'] } },
  problems: [409],
});

export const getRegistry = operation({
  id: 'getRegistry',
  method: 'GET',
  path: '/v1/registries/{id}',
  tag,
  summary: 'Get a registry',
  role: 'viewer',
  params,
  responses: { 200: { description: 'The registry', schema: registrySchema, headers: ['ETag'] } },
  problems: [404],
});

export const updateRegistry = operation({
  id: 'updateRegistry',
  method: 'PATCH',
  path: '/v1/registries/{id}',
  tag,
  summary: 'Change title, url or credentials',
  description: 'Missing and null fields are left alone. New credentials keep the identity of the secret.',
  role: 'admin',
  params,
  body: registryChangeSchema,
  responses: { 200: { description: 'The registry as it is now', schema: registrySchema, headers: ['ETag'] } },
  problems: [404, 409, 412],
});

export const deleteRegistry = operation({
  id: 'deleteRegistry',
  method: 'DELETE',
  path: '/v1/registries/{id}',
  tag,
  summary: 'Disconnect a registry and delete its credentials',
  description:
    'Refused while images refer to it, unless `force=true`. Nothing in the registry itself is touched.',
  role: 'admin',
  params,
  query: z.strictObject({ force: z.stringbool().default(false) }),
  responses: { 204: { description: 'Gone' } },
  problems: [404, 409, 412],
});

export const checkRegistry = operation({
  id: 'checkRegistry',
  method: 'POST',
  path: '/v1/registries/{id}/check',
  tag,
  summary: 'Try the registry and its credentials now',
  description:
    'The answer is 200 for a finished check, whatever it found; `cause` tells apart what is wrong.',
  role: 'editor',
  params,
  body: registryCheckSchema,
  responses: { 200: { description: 'What the check found', schema: registryCheckResultSchema } },
  problems: [404],
});

export const listRegistryImages = operation({
  id: 'listRegistryImages',
  method: 'GET',
  path: '/v1/registries/{id}/images',
  tag,
  summary: 'List the images of one registry',
  description:
    "Of a default registry also the catalogue's, after the organisation's own; `source=catalogue` lists only those.",
  role: 'viewer',
  params,
  query: z.lazy(() => imageListQuery.unwrap().omit({ registryId: true, name: true })),
  responses: { 200: { description: 'A page of images', schema: pageOf(imageSchema) } },
  problems: [404],
});
