/** Builds (B1–B7) as the API speaks of them. */
import * as z from 'zod';
import { buildFailures } from './build-failures.ts';
import { listQuery, sortBy, timestamp } from './common.ts';
import { lintWarningSchema, recipeSchema } from './dockerfile-lint.ts';
import { idSchema } from './id.ts';
import { secretName } from './organisation.ts';
import { buildStatuses } from './states.ts';
import { validationSchema } from './validation.ts';

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

export const buildPhases = [
  'waiting',
  'queued',
  'provisioning',
  'preparing',
  'building',
  'pushing',
  'finished',
] as const;
export type BuildPhase = (typeof buildPhases)[number];

const failureFields = () => ({
  code: z
    .enum(Object.keys(buildFailures) as [keyof typeof buildFailures])
    .meta({ id: 'BuildFailureCode', description: 'A stable code that clients can branch on.' }),
  message: z.string(),
  step: z.string().optional().meta({ example: '[2/4] RUN pip install torch' }),
  exitCode: z.int().optional().meta({ description: 'The exit code of the command, if the step ran one.' }),
  lastLines: z.array(z.string()).optional(),
  registryId: z
    .string()
    .optional()
    .meta({ description: 'The registry that refused its stored credentials. Absent if Slipway sent none.' }),
});
/** As the builder tells it and the table keeps it. */
export const failureSchema = z.lazy(() => z.object(failureFields()));
export type BuildFailure = z.infer<typeof failureSchema>;

const shownFailureSchema = z.lazy(() =>
  z
    .object({
      ...failureFields(),
      likelyCause: z.string().optional().meta({
        description: 'The same text as in the email. Only operations below `/v1/builds` return it.',
      }),
      howToRetry: z.string().optional().meta({
        description: 'The same text as in the email. Only operations below `/v1/builds` return it.',
        example:
          'Build again (POST /v1/images/img_01m7q5cqg00w3ge1r70w3ge1r7/builds; omitted fields keep their values).',
      }),
    })
    .meta({ id: 'BuildFailure' }),
);

/** Jobs of one form: they have the same states, logs, timeline, stop and mail. */
export const buildKinds = ['build', 'mirror', 'validation'] as const;
export type BuildKind = (typeof buildKinds)[number];

const buildKindSchema = z.enum(buildKinds).meta({ id: 'BuildKind' });
export const buildStatusSchema = z.enum(buildStatuses).meta({ id: 'BuildStatus' });

/** What a mirror did with the image's blobs (I7). */
export const mirrorSchema = z.lazy(() =>
  z
    .object({
      source: z.string().meta({ description: 'The image that was copied, by digest.' }),
      movedBlobs: z.int(),
      mountedBlobs: z
        .int()
        .meta({ description: 'Blobs that the target registry mounted from another of its repositories.' }),
      existingBlobs: z.int().meta({ description: 'Blobs that the target repository already had.' }),
      movedBytes: z.int(),
    })
    .meta({ id: 'Mirror' }),
);
export type Mirror = z.infer<typeof mirrorSchema>;

/** What a build was made from, by the names of its request: it can be changed and sent again. */
export const buildInputsSchema = z.lazy(() =>
  z
    .object({
      dockerfile: z.string(),
      from: z
        .object({
          base: z.string(),
          requirements: z.string().optional(),
          apt: z.array(z.string()).optional(),
          user: z.string().optional(),
          workdir: z.string().optional(),
        })
        .optional()
        .meta({ id: 'BuildInputsRecipe', description: 'The recipe that the Dockerfile was generated from.' }),
      buildArgs: z.record(z.string(), z.string()).meta({ id: 'BuildInputsArgs' }),
      secrets: z.record(z.string(), z.string()).meta({
        id: 'BuildInputsSecrets',
        description: 'Names of secrets by the id of their mount. Values are never returned.',
      }),
      computes: z.array(z.string()),
      contextUploadId: z.string().optional(),
      context: z
        .object({ sha256: z.string(), sizeBytes: z.int() })
        .optional()
        .meta({ id: 'BuildInputsContext', description: 'The archive that `contextUploadId` names.' }),
      bases: z.record(z.string(), z.string()).meta({
        id: 'BuildInputsBases',
        description: 'Digests of the base images, by their names in the Dockerfile.',
      }),
    })
    .meta({ id: 'BuildInputs' }),
);
export type BuildInputs = z.infer<typeof buildInputsSchema>;

export const buildSchema = z.lazy(() =>
  z
    .object({
      id: idSchema('build'),
      kind: buildKindSchema,
      imageId: idSchema('image'),
      status: buildStatusSchema,
      phase: z.enum(buildPhases).meta({
        id: 'BuildPhase',
        description:
          '`waiting`: the build waits for its base images or for a free compute slot. `queued`: CodeBuild has accepted it. `preparing`: the builder fetches context and credentials.',
      }),
      compute: z.string(),
      identity: z.string().meta({
        description:
          'SHA-256 of all inputs that are known before the build. Identical builds have the same one.',
      }),
      cached: z.boolean().meta({ description: 'Whether Slipway reused the result of an identical build.' }),
      attachedTo: idSchema('build')
        .optional()
        .meta({ description: 'The identical build that this one shares its image and log with.' }),
      waitsFor: z.array(idSchema('build')).optional().meta({
        description: 'Builds of base images in the same family. This build starts when they have succeeded.',
      }),
      uri: z.string(),
      push: z
        .boolean()
        .optional()
        .meta({ description: 'Whether the build pushes its image. Only builds have it.' }),
      digest: z.string().optional(),
      sizeBytes: z.int().optional(),
      author: z.string(),
      createdAt: timestamp,
      updatedAt: timestamp,
      startedAt: timestamp.optional(),
      finishedAt: timestamp.optional(),
      durationSeconds: z.number().optional(),
      stopRequestedAt: timestamp.optional(),
      warnings: z.array(lintWarningSchema).optional().meta({ description: 'Warnings about the Dockerfile.' }),
      source: buildInputsSchema.optional().meta({
        description: 'The inputs of the build. Only `GET /v1/builds/{id}` returns them.',
      }),
      failure: shownFailureSchema.optional(),
      mirror: mirrorSchema.optional(),
      validation: validationSchema.optional(),
    })
    .meta({ id: 'Build' }),
);
export type Build = z.infer<typeof buildSchema>;

export const buildColumns = ['createdAt', 'status', 'author'] as const;
const buildSort = sortBy('BuildSort', buildColumns);

export const buildListQuery = z.lazy(() =>
  z.strictObject({
    ...listQuery(buildSort),
    kind: buildKindSchema.optional(),
    status: buildStatusSchema.optional(),
    imageId: idSchema('image').optional(),
    author: z.string().max(320).optional(),
  }),
);
