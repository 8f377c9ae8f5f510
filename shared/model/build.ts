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
  .refine((text) => Buffer.byteLength(text) <= dockerfileLimit, `is at most ${dockerfileLimit} bytes`)
  .refine((text) => !text.includes('\0'), 'must not contain NUL')
  .meta({ example: 'FROM python:3.13-slim\nRUN pip install numpy\n' });

export const dockerfileText = dockerfile;

const contextUploadId = idSchema('upload').meta({
  description: 'An uploaded archive (`POST /v1/uploads`): tar, tar.gz or zip',
});

const argName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'a name of letters, digits and underscores');
const argValue = z.string().refine((value) => !value.includes('\0'), 'must not contain NUL');

const fewBytes = (all: Record<string, string | null>) =>
  Buffer.byteLength(Object.entries(all).flat().join('')) <= buildArgsLimit;
const mostBytes = `names and values together are at most ${buildArgsLimit} bytes`;

export const buildArgs = z
  .record(argName, argValue)
  .refine(fewNames, `has at most ${namesLimit} entries`)
  .refine(fewBytes, mostBytes)
  .meta({
    id: 'BuildArgs',
    description: 'Seen in the log and in the image: no place for secrets',
    maxProperties: namesLimit,
  });

const mountId = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/, 'an id of letters, digits, `_`, `.`, `-`');

export const buildSecrets = z
  .record(mountId, secretName)
  .refine(fewNames, `has at most ${namesLimit} entries`)
  .meta({
    id: 'BuildSecrets',
    description: 'By the id that `RUN --mount=type=secret,id=` names: a secret of the organisation',
    maxProperties: namesLimit,
  });

const computes = z
  .array(z.string().min(1).max(64))
  .min(1)
  .max(20)
  .meta({ description: 'The first that is available builds. Left out: all that build, in their order' });

const force = z
  .boolean()
  .meta({ description: 'Builds even where an identical build is under way or has succeeded' });

const lint = z.enum(['warn', 'refuse']).meta({
  id: 'LintMode',
  description:
    '`refuse`: 422 with line numbers where the Dockerfile has warnings. Left out, they are on the build',
});

const push = z.boolean().meta({
  description:
    '`false`: builds and pushes nothing. A check, which leaves the image as it is; where the builder shares an engine with you, the image is in it under its URI',
});

/** What is built, and how. */
export const buildFields = {
  dockerfile: dockerfile.optional(),
  from: recipeSchema.optional().meta({
    description: 'In place of a Dockerfile: a base, and what is installed on it',
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
  return from ? 'goes without from, which makes one' : 'is needed, or from in its place';
}

export const newBuildSource = z
  .strictObject({ type: z.literal('build'), ...buildFields, push: push.optional() })
  .meta({ id: 'BuildSource' });

const buildArgsChange = z
  .record(argName, argValue.nullable())
  .refine(fewNames, `has at most ${namesLimit} entries`)
  .refine(fewBytes, mostBytes)
  .meta({
    id: 'BuildArgsChange',
    description:
      'Changes those of the build before, name by name; `null` drops one, or all in place of the object',
    example: { VERSION: '2', DEBUG: null },
    maxProperties: namesLimit,
  });

const buildSecretsChange = z
  .record(mountId, secretName.nullable())
  .refine(fewNames, `has at most ${namesLimit} entries`)
  .meta({
    id: 'BuildSecretsChange',
    description:
      'Changes those of the build before, id by id; `null` drops one, or all in place of the object',
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
        description: 'In place of a Dockerfile: a base, and what is installed on it',
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
      message: 'must not be combined with `from`, which makes one',
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
    .meta({ id: 'BuildFailureCode', description: 'Stable' }),
  message: z.string(),
  step: z.string().optional().meta({ example: '[2/4] RUN pip install torch' }),
  exitCode: z.int().optional().meta({ description: 'Of the step, where it ran a command' }),
  lastLines: z.array(z.string()).optional(),
  registryId: z
    .string()
    .optional()
    .meta({ description: 'Registry whose stored credentials were refused; absent where none were sent' }),
});
/** As the builder tells it and the table keeps it. */
export const failureSchema = z.lazy(() => z.object(failureFields()));
export type BuildFailure = z.infer<typeof failureSchema>;

const shownFailureSchema = z.lazy(() =>
  z
    .object({
      ...failureFields(),
      likelyCause: z
        .string()
        .optional()
        .meta({ description: 'As in the mail; in every answer of `/v1/builds`' }),
      howToRetry: z.string().optional().meta({
        description: 'As in the mail; in every answer of `/v1/builds`',
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
      source: z.string().meta({ description: 'What was mirrored, by its digest' }),
      movedBlobs: z.int(),
      mountedBlobs: z.int().meta({ description: 'Taken over from another repository of the same registry' }),
      existingBlobs: z.int().meta({ description: 'Were there already' }),
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
        .meta({ id: 'BuildInputsRecipe', description: 'What the Dockerfile was generated from' }),
      buildArgs: z.record(z.string(), z.string()).meta({ id: 'BuildInputsArgs' }),
      secrets: z.record(z.string(), z.string()).meta({
        id: 'BuildInputsSecrets',
        description: 'Names of secrets by the id of their mount; never their values',
      }),
      computes: z.array(z.string()),
      contextUploadId: z.string().optional(),
      context: z
        .object({ sha256: z.string(), sizeBytes: z.int() })
        .optional()
        .meta({ id: 'BuildInputsContext', description: 'The archive of `contextUploadId`' }),
      bases: z.record(z.string(), z.string()).meta({
        id: 'BuildInputsBases',
        description: 'Digests of the images that it was built on, by their names in the Dockerfile',
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
          '`waiting`: for its bases, or for a compute below its limit; `queued`: at CodeBuild; `preparing`: context, credentials',
      }),
      compute: z.string(),
      identity: z
        .string()
        .meta({ description: 'SHA-256 over what goes into the build, as far as it is known before' }),
      cached: z.boolean().meta({ description: 'Whether it was answered without building' }),
      attachedTo: idSchema('build')
        .optional()
        .meta({ description: 'The identical build whose image this one gets, and whose log is shown' }),
      waitsFor: z.array(idSchema('build')).optional().meta({
        description: 'Builds of its family whose images it is built on: it begins when they are done',
      }),
      uri: z.string(),
      push: z.boolean().optional().meta({ description: 'Of a build: whether the image is pushed' }),
      digest: z.string().optional(),
      sizeBytes: z.int().optional(),
      author: z.string(),
      createdAt: timestamp,
      updatedAt: timestamp,
      startedAt: timestamp.optional(),
      finishedAt: timestamp.optional(),
      durationSeconds: z.number().optional(),
      stopRequestedAt: timestamp.optional(),
      warnings: z
        .array(lintWarningSchema)
        .optional()
        .meta({ description: 'What is wrong with the Dockerfile' }),
      source: buildInputsSchema.optional().meta({
        description: 'What it was made from; of builds, and only where one is asked for by its id',
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
