/** Builds (B1–B7) as the API answers them. */
import * as z from 'zod';
import { buildFailures } from './build-failures.ts';
import { listQuery, sortBy, timestamp } from './common.ts';
import { lintWarningSchema } from './dockerfile-lint.ts';
import { idSchema } from './id.ts';
import { buildStatuses } from './states.ts';
import { validationSchema } from './validation.ts';

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
