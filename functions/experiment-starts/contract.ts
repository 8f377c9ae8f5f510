/** The HTTP operation that creates experiments (B12, E1). */
import * as z from 'zod';
import { documented } from '../../shared/http/documented.ts';
import { operation } from '../../shared/http/operation.ts';
import { flag } from '../../shared/model/common.ts';
import { experimentSchema, newExperimentSchema } from '../../shared/model/experiment.ts';

const tag = 'Experiments';

export const createExperiment = operation({
  id: 'createExperiment',
  method: 'POST',
  path: '/v1/experiments',
  documentation: documented(() => ({
    tag,
    summary: 'Create an experiment and start it',
    description:
      'With `start=false`, Slipway only stores the experiment and answers 201. With `build` instead of `image`, the experiment stays `pending` until the build ends, then runs in the digest that was built. If the build fails, the experiment ends with `build-failed`.',
    example: {
      name: 'iris',
      image: 'iris:v1',
      command: ['python', 'train.py', '--epochs', '200'],
      compute: 'cpu-small',
      env: { SEED: '7' },
      tags: ['baseline'],
    },
    responses: {
      201: {
        description: 'Slipway stored the experiment',
        schema: experimentSchema,
        headers: ['Location', 'ETag'],
      },
      202: {
        description: 'Slipway accepted the experiment',
        schema: experimentSchema,
        headers: ['Location', 'ETag'],
      },
    },
  })),
  role: 'editor',
  query: z.strictObject({ start: flag(true) }),
  body: newExperimentSchema,
  problems: [404, 409, 503],
});
