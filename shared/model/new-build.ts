/** What a build may be asked to do (B1, B2). */
import * as z from 'zod';
import { recipeSchema } from './dockerfile-lint.ts';
import { idSchema } from './id.ts';
import { secretName } from './organisation.ts';

/** Bytes of UTF-8. A Dockerfile is text that people read; what is larger belongs into the context. */
export const dockerfileLimit = 131_072;
/** Build arguments travel as program arguments, names and values together at most this many bytes of UTF-8. */
const buildArgsLimit = 32_768;
/** Of build arguments, and of secrets, each of which is looked up before the build is accepted. */
const namesLimit = 50;
const fewNames = (all: object) => Object.keys(all).length <= namesLimit;

const dockerfile = z
  .string()
  .min(1)
  .max(dockerfileLimit)
  .refine((text) => Buffer.byteLength(text) <= dockerfileLimit, `must be at most ${dockerfileLimit} bytes`)
  .refine((text) => !text.includes('\0'), 'must not contain a NUL character')
  .meta({ example: 'FROM python:3.13-slim\nRUN pip install numpy\n' });

export const dockerfileText = dockerfile;

const contextUploadId = idSchema('upload').meta({
  description: 'The id of an uploaded tar, tar.gz or zip archive (`POST /v1/uploads`).',
});

const argName = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_]{0,127}$/,
    'must consist of letters, digits and underscores, and must not begin with a digit',
  );
const argValue = z.string().refine((value) => !value.includes('\0'), 'must not contain a NUL character');

const fewBytes = (all: Record<string, string | null>) =>
  Buffer.byteLength(Object.entries(all).flat().join('')) <= buildArgsLimit;
const mostBytes = `must have names and values of at most ${buildArgsLimit} bytes together`;

export const buildArgs = z
  .record(argName, argValue)
  .refine(fewNames, `must have at most ${namesLimit} entries`)
  .refine(fewBytes, mostBytes)
  .meta({
    id: 'BuildArgs',
    description: 'The log and the image show build arguments. Pass credentials in `secrets` instead.',
    maxProperties: namesLimit,
  });

const mountId = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/, 'must consist of letters, digits, `_`, `.` and `-`');

export const buildSecrets = z
  .record(mountId, secretName)
  .refine(fewNames, `must have at most ${namesLimit} entries`)
  .meta({
    id: 'BuildSecrets',
    description: 'Names of secrets of the organisation, each under the id in `RUN --mount=type=secret,id=…`.',
    maxProperties: namesLimit,
  });

const computes = z.array(z.string().min(1).max(64)).min(1).max(20).meta({
  description:
    'Computes in order of preference. The first one that is available runs the build. Default: all build computes.',
});

const force = z
  .boolean()
  .meta({ description: 'Runs the build even if an identical build is in progress or has succeeded.' });

const lint = z.enum(['warn', 'refuse']).meta({
  id: 'LintMode',
  description:
    '`refuse`: the request fails with 422 and line numbers if the Dockerfile has warnings. `warn` (default): the build lists them.',
});

const push = z.boolean().meta({
  description:
    '`false`: builds the Dockerfile without pushing the result, and leaves the image unchanged. If the builder uses your own container engine, you find the result there under its URI.',
});

/** What is built, and how. */
export const buildFields = {
  dockerfile: dockerfile.optional(),
  from: recipeSchema.optional().meta({
    description: 'A base image and the packages to install, instead of a Dockerfile.',
  }),
  lint: lint.optional(),
  contextUploadId: contextUploadId.optional(),
  buildArgs: buildArgs.optional(),
  secrets: buildSecrets.optional(),
  computes: computes.optional(),
  force: force.optional(),
};

/** What is wrong with `dockerfile`: a build has one, or what makes one. */
export function dockerfileProblem({ dockerfile, from }: { dockerfile?: unknown; from?: unknown }) {
  if ((dockerfile === undefined) !== (from === undefined)) return undefined;
  return from ? 'must not be combined with `from`' : 'is required unless `from` is given';
}

export const newBuildSource = z
  .strictObject({ type: z.literal('build'), ...buildFields, push: push.optional() })
  .meta({ id: 'BuildSource' });

const buildArgsChange = z
  .record(argName, argValue.nullable())
  .refine(fewNames, `must have at most ${namesLimit} entries`)
  .refine(fewBytes, mostBytes)
  .meta({
    id: 'BuildArgsChange',
    description:
      'Changes to the build arguments of the previous build. `null` as a value removes one; `null` instead of the object removes all.',
    example: { VERSION: '2', DEBUG: null },
    maxProperties: namesLimit,
  });

const buildSecretsChange = z
  .record(mountId, secretName.nullable())
  .refine(fewNames, `must have at most ${namesLimit} entries`)
  .meta({
    id: 'BuildSecretsChange',
    description:
      'Changes to the secrets of the previous build. `null` as a value removes one; `null` instead of the object removes all.',
    example: { pypi: 'pypi-token' },
    maxProperties: namesLimit,
  });

/**
 * What is left out is as in the build before. Of `buildArgs` and `secrets` that holds for each name; `null` drops one of
 * them, or all, or the context. Everything else is replaced as a whole.
 */
export const rebuildSchema = z.lazy(() =>
  z
    .strictObject({
      dockerfile: dockerfile.optional(),
      from: recipeSchema.optional().meta({
        description: 'A base image and the packages to install, instead of a Dockerfile.',
      }),
      lint: lint.optional(),
      contextUploadId: contextUploadId.nullish(),
      buildArgs: buildArgsChange.nullish(),
      secrets: buildSecretsChange.nullish(),
      computes: computes.optional(),
      force: force.optional(),
      push: push.optional(),
    })
    .refine(({ dockerfile, from }) => dockerfile === undefined || from === undefined, {
      path: ['dockerfile'],
      message: 'must not be combined with `from`',
    })
    .meta({ id: 'Rebuild' }),
);
export type Rebuild = z.output<typeof rebuildSchema>;
