import * as z from 'zod';
import { documented } from '../../shared/http/documented.ts';
import { operation } from '../../shared/http/operation.ts';
import { pageOf } from '../../shared/model/common.ts';
import { idSchema } from '../../shared/model/id.ts';
import {
  computeSchema,
  computeUseSchema,
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
  settingsChangeSchema,
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
  documentation: documented(() => ({
    tag: 'Members',
    summary: 'Get the caller and its organisation',
    responses: { 200: { description: 'The caller', schema: meSchema } },
  })),
  role: 'viewer',
});

export const getSettings = operation({
  id: 'getSettings',
  method: 'GET',
  path: '/v1/settings',
  documentation: documented(() => ({
    tag: 'Organisation',
    summary: 'Get the settings',
    responses: { 200: { description: 'The settings', schema: settingsSchema, headers: ['ETag'] } },
  })),
  role: 'viewer',
});

export const putSettings = operation({
  id: 'putSettings',
  method: 'PUT',
  path: '/v1/settings',
  documentation: documented(() => ({
    tag: 'Organisation',
    summary: 'Replace the settings',
    description: 'Omitted settings return to their defaults. To change single settings, use `PATCH`.',
    example: {
      defaultImage: 'python:3.13',
      launchGate: 'high',
      notifications: { preference: 'errors', recipients: ['team@example.com'] },
    },
    responses: {
      200: { description: 'The changed settings', schema: settingsSchema, headers: ['ETag'] },
    },
  })),
  role: 'admin',
  body: settingsSchema,
  problems: [412],
});

export const updateSettings = operation({
  id: 'updateSettings',
  method: 'PATCH',
  path: '/v1/settings',
  documentation: documented(() => ({
    tag: 'Organisation',
    summary: 'Change some of the settings',
    description: 'Omitted settings do not change. `null` resets a setting to its default.',
    example: { launchGate: 'high' },
    responses: {
      200: { description: 'The changed settings', schema: settingsSchema, headers: ['ETag'] },
    },
  })),
  role: 'admin',
  body: settingsChangeSchema,
  problems: [412],
});

export const listComputes = operation({
  id: 'listComputes',
  method: 'GET',
  path: '/v1/computes',
  documentation: documented(() => ({
    tag: 'Organisation',
    summary: 'List the computes for builds and experiments',
    responses: {
      200: { description: 'All computes of this deployment', schema: pageOf('ComputePage', computeSchema) },
    },
  })),
  role: 'viewer',
  query: z.strictObject({ use: computeUseSchema.optional() }),
});

export const listMembers = operation({
  id: 'listMembers',
  method: 'GET',
  path: '/v1/members',
  documentation: documented(() => ({
    tag: 'Members',
    summary: 'List members',
    responses: { 200: { description: 'A page of members', schema: pageOf('MemberPage', memberSchema) } },
  })),
  role: 'viewer',
  query: memberListQuery,
});

export const inviteMember = operation({
  id: 'inviteMember',
  method: 'POST',
  path: '/v1/members',
  documentation: documented(() => ({
    tag: 'Members',
    summary: 'Invite a member by email',
    example: { email: 'ada@example.com', role: 'editor' },
    responses: { 201: { description: 'Invited', schema: memberSchema, headers: ['ETag', 'Location'] } },
  })),
  role: 'admin',
  body: newMemberSchema,
  problems: [409],
});

export const getMember = operation({
  id: 'getMember',
  method: 'GET',
  path: '/v1/members/{id}',
  documentation: documented(() => ({
    tag: 'Members',
    summary: 'Get a member',
    responses: { 200: { description: 'The member', schema: memberSchema, headers: ['ETag'] } },
  })),
  role: 'viewer',
  params: member,
  problems: [404],
});

export const updateMember = operation({
  id: 'updateMember',
  method: 'PATCH',
  path: '/v1/members/{id}',
  documentation: documented(() => ({
    tag: 'Members',
    summary: 'Change the role of a member',
    description:
      "The new role applies to changes at once and to reads within a minute, also for the member's tokens. An organisation must keep an admin: otherwise the answer is 409.",
    example: { role: 'admin' },
    responses: { 200: { description: 'The changed member', schema: memberSchema, headers: ['ETag'] } },
  })),
  role: 'admin',
  params: member,
  body: memberChangeSchema,
  problems: [404, 409, 412],
});

export const removeMember = operation({
  id: 'removeMember',
  method: 'DELETE',
  path: '/v1/members/{id}',
  documentation: documented(() => ({
    tag: 'Members',
    summary: 'Remove a member',
    description:
      "The member's tokens stop working at once for changes, and within a minute for reads. An organisation must keep an admin: otherwise the answer is 409.",
    responses: { 204: { description: 'Deleted' } },
  })),
  role: 'admin',
  params: member,
  problems: [404, 409, 412],
});

export const listTokens = operation({
  id: 'listTokens',
  method: 'GET',
  path: '/v1/tokens',
  documentation: documented(() => ({
    tag: 'Tokens',
    summary: 'List tokens',
    responses: { 200: { description: 'A page of tokens', schema: pageOf('TokenPage', tokenSchema) } },
  })),
  role: 'viewer',
  query: tokenListQuery,
});

export const createToken = operation({
  id: 'createToken',
  method: 'POST',
  path: '/v1/tokens',
  documentation: documented(() => ({
    tag: 'Tokens',
    summary: 'Create a token for scripts',
    description:
      'A token that another token creates expires with that token at the latest, and is revoked with it.',
    example: { title: 'nightly training', role: 'editor', expiresInDays: 90 },
    responses: { 201: { description: 'Created', schema: createdTokenSchema, headers: ['Location'] } },
  })),
  role: 'viewer',
  body: newTokenSchema,
  secret: 'answer',
  problems: [409],
});

export const getToken = operation({
  id: 'getToken',
  method: 'GET',
  path: '/v1/tokens/{id}',
  documentation: documented(() => ({
    tag: 'Tokens',
    summary: 'Get a token, without its secret',
    responses: { 200: { description: 'The token', schema: tokenSchema, headers: ['ETag'] } },
  })),
  role: 'viewer',
  params: token,
  problems: [404],
});

export const revokeToken = operation({
  id: 'revokeToken',
  method: 'DELETE',
  path: '/v1/tokens/{id}',
  documentation: documented(() => ({
    tag: 'Tokens',
    summary: 'Revoke a token',
    description:
      'The token stops working at once for changes, and within a minute for reads. So do all tokens that it created, directly or indirectly. Members can revoke their own tokens, admins all tokens.',
    responses: { 204: { description: 'Revoked' } },
  })),
  role: 'viewer',
  params: token,
  problems: [404, 412],
});

export const createUpload = operation({
  id: 'createUpload',
  method: 'POST',
  path: '/v1/uploads',
  documentation: documented(() => ({
    tag: 'Uploads',
    summary: 'Get a URL to upload a build context to',
    description:
      'Send the file with one `PUT` request that has all of the returned headers. S3 accepts only a file of exactly `sizeBytes` bytes with this SHA-256. A context is a tar archive, optionally gzipped, or a zip archive.',
    example: {
      kind: 'context',
      sizeBytes: 3,
      sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    },
    responses: { 201: { description: 'The URL and headers of the upload', schema: uploadSchema } },
  })),
  role: 'editor',
  body: newUploadSchema,
  // The URL holds a signature that is as good as a credential while it lasts.
  secret: 'answer',
});

export const listSecrets = operation({
  id: 'listSecrets',
  method: 'GET',
  path: '/v1/secrets',
  documentation: documented(() => ({
    tag: 'Secrets',
    summary: 'List secrets, without their values',
    responses: { 200: { description: 'A page of secrets', schema: pageOf('SecretPage', secretSchema) } },
  })),
  role: 'viewer',
  query: secretListQuery,
});

export const getSecret = operation({
  id: 'getSecret',
  method: 'GET',
  path: '/v1/secrets/{name}',
  documentation: documented(() => ({
    tag: 'Secrets',
    summary: 'Get a secret, without its value',
    responses: { 200: { description: 'The secret', schema: secretSchema, headers: ['ETag'] } },
  })),
  role: 'viewer',
  params: secret,
  problems: [404],
});

export const putSecret = operation({
  id: 'putSecret',
  method: 'PUT',
  path: '/v1/secrets/{name}',
  documentation: documented(() => ({
    tag: 'Secrets',
    summary: 'Create a secret, or change its value',
    example: { value: 'pypi-AgEIcHlwaS5vcmc' },
    responses: {
      200: { description: 'Changed', schema: secretSchema, headers: ['ETag'] },
      201: { description: 'Created', schema: secretSchema, headers: ['ETag', 'Location'] },
    },
  })),
  role: 'editor',
  params: secret,
  body: secretValueSchema,
  secret: 'body',
  problems: [409, 412],
});

export const deleteSecret = operation({
  id: 'deleteSecret',
  method: 'DELETE',
  path: '/v1/secrets/{name}',
  documentation: documented(() => ({
    tag: 'Secrets',
    summary: 'Delete a secret',
    responses: { 204: { description: 'Deleted' } },
  })),
  role: 'editor',
  params: secret,
  problems: [404, 412],
});
