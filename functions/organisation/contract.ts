import * as z from 'zod';
import { operation } from '../../shared/http/operation.ts';
import { pageOf } from '../../shared/model/common.ts';
import { idSchema } from '../../shared/model/id.ts';
import {
  computeSchema,
  createdTokenSchema,
  memberChangeSchema,
  memberListQuery,
  memberSchema,
  meSchema,
  newMemberSchema,
  newTokenSchema,
  newUploadSchema,
  secretListQuery,
  secretName,
  secretSchema,
  secretValueSchema,
  settingsSchema,
  tokenListQuery,
  tokenSchema,
  uploadSchema,
} from '../../shared/model/organisation.ts';

const member = z.object({ id: idSchema('member') });
const token = z.object({ id: idSchema('token') });
const secret = z.object({ name: secretName });

export const getMe = operation({
  id: 'getMe',
  method: 'GET',
  path: '/v1/me',
  tag: 'Members',
  summary: 'Who you are, and in which organisation',
  role: 'viewer',
  responses: { 200: { description: 'You', schema: meSchema } },
});

export const getSettings = operation({
  id: 'getSettings',
  method: 'GET',
  path: '/v1/settings',
  tag: 'Organisation',
  summary: 'Get the settings',
  role: 'viewer',
  responses: { 200: { description: 'The settings', schema: settingsSchema, headers: ['ETag'] } },
});

export const putSettings = operation({
  id: 'putSettings',
  method: 'PUT',
  path: '/v1/settings',
  tag: 'Organisation',
  summary: 'Replace the settings',
  description: 'What is left out returns to its default.',
  role: 'admin',
  body: settingsSchema,
  responses: {
    200: { description: 'The settings as they are now', schema: settingsSchema, headers: ['ETag'] },
  },
  problems: [412],
});

export const listComputes = operation({
  id: 'listComputes',
  method: 'GET',
  path: '/v1/computes',
  tag: 'Organisation',
  summary: 'List what builds and experiments can run on',
  role: 'viewer',
  query: z.strictObject({ use: z.enum(['build', 'run']).optional() }),
  responses: { 200: { description: 'All computes of this deployment', schema: pageOf(computeSchema) } },
});

export const listMembers = operation({
  id: 'listMembers',
  method: 'GET',
  path: '/v1/members',
  tag: 'Members',
  summary: 'List members',
  role: 'viewer',
  query: memberListQuery,
  responses: { 200: { description: 'A page of members', schema: pageOf(memberSchema) } },
});

export const inviteMember = operation({
  id: 'inviteMember',
  method: 'POST',
  path: '/v1/members',
  tag: 'Members',
  summary: 'Invite somebody by email',
  role: 'admin',
  body: newMemberSchema,
  responses: { 201: { description: 'Invited', schema: memberSchema, headers: ['ETag', 'Location'] } },
  problems: [409],
});

export const getMember = operation({
  id: 'getMember',
  method: 'GET',
  path: '/v1/members/{id}',
  tag: 'Members',
  summary: 'Get a member',
  role: 'viewer',
  params: member,
  responses: { 200: { description: 'The member', schema: memberSchema, headers: ['ETag'] } },
  problems: [404],
});

export const updateMember = operation({
  id: 'updateMember',
  method: 'PATCH',
  path: '/v1/members/{id}',
  tag: 'Members',
  summary: 'Change a role',
  description: 'Takes effect within a minute, also for tokens. The last admin stays one (409).',
  role: 'admin',
  params: member,
  body: memberChangeSchema,
  responses: { 200: { description: 'The member as it is now', schema: memberSchema, headers: ['ETag'] } },
  problems: [404, 409, 412],
});

export const removeMember = operation({
  id: 'removeMember',
  method: 'DELETE',
  path: '/v1/members/{id}',
  tag: 'Members',
  summary: 'Remove a member',
  description: 'Their tokens stop working within a minute. The last admin can’t go (409).',
  role: 'admin',
  params: member,
  responses: { 204: { description: 'Gone' } },
  problems: [404, 409, 412],
});

export const listTokens = operation({
  id: 'listTokens',
  method: 'GET',
  path: '/v1/tokens',
  tag: 'Tokens',
  summary: 'List tokens: your own, or as an admin everybody’s',
  role: 'viewer',
  query: tokenListQuery,
  responses: { 200: { description: 'A page of tokens', schema: pageOf(tokenSchema) } },
});

export const createToken = operation({
  id: 'createToken',
  method: 'POST',
  path: '/v1/tokens',
  tag: 'Tokens',
  summary: 'Create a token for scripts',
  description: 'One made by a token ends with it at the latest, and is revoked with it.',
  role: 'viewer',
  body: newTokenSchema,
  secret: 'answer',
  responses: { 201: { description: 'Created', schema: createdTokenSchema, headers: ['Location'] } },
  problems: [409],
});

export const getToken = operation({
  id: 'getToken',
  method: 'GET',
  path: '/v1/tokens/{id}',
  tag: 'Tokens',
  summary: 'Get a token, without its secret',
  role: 'viewer',
  params: token,
  responses: { 200: { description: 'The token', schema: tokenSchema, headers: ['ETag'] } },
  problems: [404],
});

export const revokeToken = operation({
  id: 'revokeToken',
  method: 'DELETE',
  path: '/v1/tokens/{id}',
  tag: 'Tokens',
  summary: 'Revoke a token',
  description:
    'It stops working within a minute, and so does every token that it made, or that those made. Your own, or as an admin anybody’s.',
  role: 'viewer',
  params: token,
  responses: { 204: { description: 'Revoked' } },
  problems: [404, 412],
});

export const createUpload = operation({
  id: 'createUpload',
  method: 'POST',
  path: '/v1/uploads',
  tag: 'Uploads',
  summary: 'Get a URL to upload a build context or source code to',
  description:
    'One `PUT` of exactly `sizeBytes` bytes whose SHA-256 is `sha256`, with all of the returned headers; anything else is refused by the storage. A context is a tar archive, gzipped or not.',
  role: 'editor',
  body: newUploadSchema,
  // The URL holds a signature that is as good as a credential while it lasts.
  secret: 'answer',
  responses: { 201: { description: 'Where to upload to', schema: uploadSchema } },
});

export const listSecrets = operation({
  id: 'listSecrets',
  method: 'GET',
  path: '/v1/secrets',
  tag: 'Secrets',
  summary: 'List secrets, without their values',
  role: 'viewer',
  query: secretListQuery,
  responses: { 200: { description: 'A page of secrets', schema: pageOf(secretSchema) } },
});

export const getSecret = operation({
  id: 'getSecret',
  method: 'GET',
  path: '/v1/secrets/{name}',
  tag: 'Secrets',
  summary: 'Get a secret, without its value',
  role: 'viewer',
  params: secret,
  responses: { 200: { description: 'The secret', schema: secretSchema, headers: ['ETag'] } },
  problems: [404],
});

export const putSecret = operation({
  id: 'putSecret',
  method: 'PUT',
  path: '/v1/secrets/{name}',
  tag: 'Secrets',
  summary: 'Create a secret or give it a new value',
  role: 'editor',
  params: secret,
  body: secretValueSchema,
  secret: 'body',
  responses: {
    200: { description: 'Changed', schema: secretSchema, headers: ['ETag'] },
    201: { description: 'Created', schema: secretSchema, headers: ['ETag', 'Location'] },
  },
  problems: [409, 412],
});

export const deleteSecret = operation({
  id: 'deleteSecret',
  method: 'DELETE',
  path: '/v1/secrets/{name}',
  tag: 'Secrets',
  summary: 'Delete a secret',
  role: 'editor',
  params: secret,
  responses: { 204: { description: 'Gone' } },
  problems: [404, 412],
});
