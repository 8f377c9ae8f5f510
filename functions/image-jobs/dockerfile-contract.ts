/** Dockerfiles before they are built (B10, B11). */
import * as z from 'zod';
import { documented } from '../../shared/http/documented.ts';
import { operation } from '../../shared/http/operation.ts';
import { lintWarningSchema, recipeSchema } from '../../shared/model/dockerfile-lint.ts';
import { buildArgs, dockerfileText } from '../../shared/model/new-build.ts';

const tag = 'Dockerfiles';

const lintRequestSchema = z.lazy(() =>
  z
    .strictObject({
      dockerfile: dockerfileText,
      buildArgs: buildArgs.optional(),
      notebook: z.boolean().optional().meta({
        description:
          'Whether the image is for a notebook. Default: Slipway infers it from the base image, port 8888 and `NB_PREFIX`.',
      }),
    })
    .meta({ id: 'LintDockerfile' }),
);

export const lintDockerfile = operation({
  id: 'lintDockerfile',
  method: 'POST',
  path: '/v1/dockerfiles/lint',
  documentation: documented(() => ({
    tag,
    summary: 'Check a Dockerfile without building it',
    description:
      'Builds show the same warnings in their record and timeline. With `lint: "refuse"`, Slipway refuses a build that has any.',
    example: { dockerfile: 'FROM python:3.13-slim\nRUN pip install numpy\n' },
    responses: {
      200: {
        description: 'The warnings in the order of lines. Empty if the Dockerfile has none.',
        schema: z.lazy(() => z.object({ warnings: z.array(lintWarningSchema) }).meta({ id: 'LintResult' })),
      },
    },
  })),
  role: 'viewer',
  body: lintRequestSchema,
});

export const generateDockerfile = operation({
  id: 'generateDockerfile',
  method: 'POST',
  path: '/v1/dockerfiles/generate',
  documentation: documented(() => ({
    tag,
    summary: 'Generate a Dockerfile from a base image, requirements.txt and Debian packages',
    description:
      'To build the recipe directly, pass it as `from` of a build. Slipway looks up the base image, and the Dockerfile ends with its user unless `user` names another.',
    example: { base: 'python:3.13-slim', requirements: 'numpy==2.1.0\npandas\n', apt: ['git'] },
    responses: {
      200: {
        description: 'The Dockerfile, and warnings about what Slipway could not look up',
        schema: z.lazy(() =>
          z
            .object({ dockerfile: z.string(), warnings: z.array(z.string()) })
            .meta({ id: 'GeneratedDockerfile' }),
        ),
      },
    },
  })),
  role: 'viewer',
  body: recipeSchema,
  problems: [404, 409],
});
