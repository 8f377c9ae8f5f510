import * as z from 'zod';
import { documented } from '../../shared/http/documented.ts';
import { operation } from '../../shared/http/operation.ts';
import { buildListQuery, buildSchema } from '../../shared/model/build.ts';
import { eventPageSchema, followQuery, logPageSchema, pageOf } from '../../shared/model/common.ts';
import { idSchema } from '../../shared/model/id.ts';

const tag = 'Builds';
const params = z.object({ id: idSchema('build') });

export const listBuilds = operation({
  id: 'listBuilds',
  method: 'GET',
  path: '/v1/builds',
  documentation: documented(() => ({
    tag,
    summary: 'List builds',
    responses: { 200: { description: 'A page of builds', schema: pageOf('BuildPage', buildSchema) } },
  })),
  role: 'viewer',
  query: buildListQuery,
});

export const getBuild = operation({
  id: 'getBuild',
  method: 'GET',
  path: '/v1/builds/{id}',
  documentation: documented(() => ({
    tag,
    summary: 'Get a build',
    responses: { 200: { description: 'The build', schema: buildSchema, headers: ['ETag'] } },
  })),
  role: 'viewer',
  params,
  problems: [404],
});

export const getBuildLogs = operation({
  id: 'getBuildLogs',
  method: 'GET',
  path: '/v1/builds/{id}/logs',
  documentation: documented(() => ({
    tag,
    summary: 'Read the log of a build',
    description:
      'With `wait`, Slipway answers as soon as the log has new lines. Continue with `nextCursor` to get each line exactly once. If `complete` is true, the log has ended.',
    responses: { 200: { description: 'A page of lines', schema: logPageSchema } },
  })),
  role: 'viewer',
  params,
  query: z.strictObject(followQuery),
  problems: [404],
});

export const getBuildEvents = operation({
  id: 'getBuildEvents',
  method: 'GET',
  path: '/v1/builds/{id}/events',
  documentation: documented(() => ({
    tag,
    summary: 'Read the timeline of a build',
    description: 'With `wait`, Slipway answers as soon as the timeline has new entries.',
    responses: { 200: { description: 'A page of entries, the oldest first', schema: eventPageSchema } },
  })),
  role: 'viewer',
  params,
  query: z.strictObject(followQuery),
  problems: [404],
});

export const stopBuild = operation({
  id: 'stopBuild',
  method: 'POST',
  path: '/v1/builds/{id}/stop',
  documentation: documented(() => ({
    tag,
    summary: 'Stop a build',
    description:
      'Requests the stop. The build becomes `stopped` once AWS confirms it; a build that has not started stops at once. A finished build does not change.',
    responses: {
      200: { description: 'The build has ended', schema: buildSchema, headers: ['ETag'] },
      202: { description: 'The build will stop', schema: buildSchema, headers: ['Location', 'ETag'] },
    },
  })),
  role: 'editor',
  params,
  problems: [404],
});
