/** The HTTP operations on experiments (E1, E2, E4, E14, E16). */
import * as z from 'zod';
import { documented } from '../../shared/http/documented.ts';
import { operation } from '../../shared/http/operation.ts';
import { acrossFields } from '../../shared/model/across-fields.ts';
import { eventPageSchema, followQuery, logPageSchema, pageOf } from '../../shared/model/common.ts';
import {
  experimentChangeSchema,
  experimentListQuery,
  experimentSchema,
} from '../../shared/model/experiment.ts';
import { idSchema } from '../../shared/model/id.ts';

const tag = 'Experiments';
const params = z.object({ id: idSchema('experiment') });
const lineNumber = z.coerce.number().int().min(1);

export const listExperiments = operation({
  id: 'listExperiments',
  method: 'GET',
  path: '/v1/experiments',
  documentation: documented(() => ({
    tag,
    summary: 'List experiments',
    responses: { 200: { description: 'A page', schema: pageOf('ExperimentPage', experimentSchema) } },
  })),
  role: 'viewer',
  query: experimentListQuery,
});

export const getExperiment = operation({
  id: 'getExperiment',
  method: 'GET',
  path: '/v1/experiments/{id}',
  documentation: documented(() => ({
    tag,
    summary: 'Get an experiment',
    responses: { 200: { description: 'The experiment', schema: experimentSchema, headers: ['ETag'] } },
  })),
  role: 'viewer',
  params,
  problems: [404],
});

export const updateExperiment = operation({
  id: 'updateExperiment',
  method: 'PATCH',
  path: '/v1/experiments/{id}',
  documentation: documented(() => ({
    tag,
    summary: 'Rename an experiment or change its tags',
    example: { name: 'iris-baseline', tags: ['baseline'] },
    responses: { 200: { description: 'The experiment', schema: experimentSchema, headers: ['ETag'] } },
  })),
  role: 'editor',
  params,
  body: experimentChangeSchema,
  problems: [404, 409, 412],
});

export const deleteExperiment = operation({
  id: 'deleteExperiment',
  method: 'DELETE',
  path: '/v1/experiments/{id}',
  documentation: documented(() => ({
    tag,
    summary: 'Delete an experiment that does not run',
    description: 'Record, timeline and kept log. What CloudWatch has of the log goes with its retention.',
    responses: { 204: { description: 'Deleted' } },
  })),
  role: 'editor',
  params,
  problems: [404, 409, 412],
});

export const startExperiment = operation({
  id: 'startExperiment',
  method: 'POST',
  path: '/v1/experiments/{id}/start',
  documentation: documented(() => ({
    tag,
    summary: 'Start a stored experiment',
    description: 'Starting one that was started before changes nothing.',
    responses: { 202: { description: 'Accepted', schema: experimentSchema, headers: ['Location', 'ETag'] } },
  })),
  role: 'editor',
  params,
  problems: [404, 409],
});

export const stopExperiment = operation({
  id: 'stopExperiment',
  method: 'POST',
  path: '/v1/experiments/{id}/stop',
  documentation: documented(() => ({
    tag,
    summary: 'Stop an experiment at any stage',
    description:
      'One that was never started is `stopped` at once (200). Otherwise 202, and the status becomes `stopped` as soon as its job has ended.',
    responses: {
      200: { description: 'It does not run any more', schema: experimentSchema, headers: ['ETag'] },
      202: { description: 'Stopping', schema: experimentSchema, headers: ['Location', 'ETag'] },
    },
  })),
  role: 'editor',
  params,
  problems: [404],
});

export const getExperimentLogs = operation({
  id: 'getExperimentLogs',
  method: 'GET',
  path: '/v1/experiments/{id}/logs',
  documentation: documented(() => ({
    tag,
    summary: 'Read the log, live or kept',
    description:
      'Over all attempts, from a cursor on, waiting up to `wait` seconds for something new. Or, without waiting, of one attempt (`attempt`, or the last one if only `from` or `to` is given) the lines `from` to `to`, or `limit` lines from `from` on. Either way `nextCursor` goes on behind the last line of the answer, in the second case within that attempt, beyond `to` as well; and `complete` says that the last line was reached and no more will come, in the second case of that attempt.',
    responses: { 200: { description: 'Lines', schema: logPageSchema } },
  })),
  role: 'viewer',
  params,
  query: z
    .strictObject({
      ...followQuery,
      limit: followQuery.limit
        .removeDefault()
        .optional()
        .meta({ description: 'Lines in an answer: 200 unless it or `to` is given' }),
      attempt: z.coerce.number().int().min(1).optional(),
      from: lineNumber.optional().meta({ description: 'First line, counted from 1' }),
      to: lineNumber.optional().meta({ description: 'Last line, included' }),
    })
    .check(
      acrossFields(({ cursor, from, to, limit }, add) => {
        if (cursor !== undefined && (from ?? to) !== undefined)
          add(['cursor'], 'either a cursor or a range of lines');
        if (limit !== undefined && to !== undefined) add(['limit'], 'either limit or to');
        if (from !== undefined && to !== undefined && from > to) add(['to'], 'must not be less than from');
        if ((to ?? 0) - (from ?? 1) >= 1000) add(['to'], 'a range is at most 1000 lines');
      }),
    ),
  problems: [404],
});

export const getExperimentEvents = operation({
  id: 'getExperimentEvents',
  method: 'GET',
  path: '/v1/experiments/{id}/events',
  documentation: documented(() => ({
    tag,
    summary: 'Read the timeline',
    description: 'With `wait` the answer comes as soon as there is something new.',
    responses: { 200: { description: 'Events', schema: eventPageSchema } },
  })),
  role: 'viewer',
  params,
  query: z.strictObject(followQuery),
  problems: [404],
});
