/** The HTTP operations on experiments (E1, E2, E4, E14, E16). */
import * as z from 'zod';
import { documented } from '../../shared/http/documented.ts';
import { operation } from '../../shared/http/operation.ts';
import { acrossFields } from '../../shared/model/across-fields.ts';
import {
  eventPageSchema,
  followQuery,
  logPageSchema,
  numberParameter,
  pageOf,
} from '../../shared/model/common.ts';
import {
  experimentChangeSchema,
  experimentListQuery,
  experimentSchema,
} from '../../shared/model/experiment.ts';
import { idSchema } from '../../shared/model/id.ts';

const tag = 'Experiments';
const params = z.object({ id: idSchema('experiment') });
const lineNumber = numberParameter(z.int().min(1));

export const listExperiments = operation({
  id: 'listExperiments',
  method: 'GET',
  path: '/v1/experiments',
  documentation: documented(() => ({
    tag,
    summary: 'List experiments',
    responses: {
      200: { description: 'A page of experiments', schema: pageOf('ExperimentPage', experimentSchema) },
    },
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
    summary: 'Delete an experiment that is not running',
    description:
      'Deletes the record, the timeline and the stored log. CloudWatch deletes its copy of the log when its retention ends.',
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
    description: 'If the experiment was started before, the request changes nothing.',
    responses: {
      202: {
        description: 'Slipway accepted the experiment',
        schema: experimentSchema,
        headers: ['Location', 'ETag'],
      },
    },
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
    summary: 'Stop an experiment',
    description:
      'An experiment that was never started is `stopped` at once (200). Otherwise the answer is 202, and the status becomes `stopped` when its job has ended.',
    responses: {
      200: { description: 'The experiment has ended', schema: experimentSchema, headers: ['ETag'] },
      202: {
        description: 'The experiment will stop',
        schema: experimentSchema,
        headers: ['Location', 'ETag'],
      },
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
    summary: 'Read the log of an experiment',
    description:
      'Without a range, the log covers all attempts, and Slipway waits up to `wait` seconds for new lines. With `attempt`, `from` or `to`, Slipway returns a range of one attempt (the last one unless `attempt` names another) without waiting: the lines `from` to `to`, or `limit` lines from `from` on. `nextCursor` continues after the last returned line, and for a range stays within its attempt. If `complete` is true, no more lines will follow.',
    responses: { 200: { description: 'A page of lines', schema: logPageSchema } },
  })),
  role: 'viewer',
  params,
  query: z
    .strictObject({
      ...followQuery,
      limit: followQuery.limit.unwrap().optional().meta({
        description: 'The maximum number of lines. Default: 200, or the whole range if `to` is given.',
      }),
      attempt: numberParameter(z.int().min(1)).optional(),
      from: lineNumber.optional().meta({ description: 'The first line, counted from 1.' }),
      to: lineNumber.optional().meta({ description: 'The last line, inclusive.' }),
    })
    .check(
      acrossFields(({ cursor, from, to, limit }, add) => {
        if (cursor !== undefined && (from ?? to) !== undefined)
          add(['cursor'], 'must not be combined with `from` or `to`');
        if (limit !== undefined && to !== undefined) add(['limit'], 'must not be combined with `to`');
        if (from !== undefined && to !== undefined && from > to) add(['to'], 'must not be less than `from`');
        if ((to ?? 0) - (from ?? 1) >= 1000) add(['to'], 'must be at most 999 greater than `from`');
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
    summary: 'Read the timeline of an experiment',
    description: 'With `wait`, Slipway answers as soon as the timeline has new entries.',
    responses: { 200: { description: 'A page of entries, the oldest first', schema: eventPageSchema } },
  })),
  role: 'viewer',
  params,
  query: z.strictObject(followQuery),
  problems: [404],
});
