/** Dockerfiles before they are built (B10, B11). */
import * as z from 'zod';
import { documented } from '../../shared/http/documented.ts';
import { operation } from '../../shared/http/operation.ts';
import { buildArgs, dockerfileText } from '../../shared/model/build.ts';
import { lintWarningSchema, recipeSchema } from '../../shared/model/dockerfile-lint.ts';

const tag = 'Dockerfiles';

const lintRequestSchema = z.lazy(() =>
  z
    .strictObject({
      dockerfile: dockerfileText,
      buildArgs: buildArgs.optional(),
      notebook: z.boolean().optional().meta({
        description: 'Whether it is to run as a notebook. Left out, its base, port 8888 or `NB_PREFIX` tell',
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
    summary: 'What is wrong with a Dockerfile, without building it',
    description:
      'Every build says the same on its record and its timeline; with `lint: "refuse"` it is refused instead.',
    example: { dockerfile: 'FROM python:3.13-slim\nRUN pip install numpy\n' },
    responses: {
      200: {
        description: 'In the order of lines; empty where nothing is wrong',
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
    summary: 'A Dockerfile from a base, requirements.txt and Debian packages',
    description:
      'The same recipe as `from` of a build is built at once. The base is looked up: the image ends with its user unless `user` says another.',
    example: { base: 'python:3.13-slim', requirements: 'numpy==2.1.0\npandas\n', apt: ['git'] },
    responses: {
      200: {
        description: 'The text, and what could not be known',
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
