/** Experiments as the API speaks of them: what may be asked for, what is answered, what each refusal says. */
import * as z from 'zod';
import { acrossFields } from './across-fields.ts';
import { buildStatusSchema } from './build.ts';
import { lineOfText, listQuery, sortBy, timestamp } from './common.ts';
import { idSchema } from './id.ts';
import { imageRuleSchema } from './image-rules.ts';
import { experimentBuildSchema } from './named-build.ts';
import { experimentStatuses } from './states.ts';

/** What may be worth another attempt. */
export const retryCauses = ['no-capacity', 'host-lost', 'error'] as const;
export type RetryCause = (typeof retryCauses)[number];
const retryCauseSchema = z.enum(retryCauses).meta({ id: 'RetryCause' });

/** Why an attempt, and with the last one the experiment, ended other than well. Stable: clients branch on them. */
export const experimentReasons = {
  'image-not-found': 'The registry does not have the image.',
  'image-unauthorized': 'The registry refuses the image with the credentials that Slipway has.',
  'image-ambiguous': 'The name matches more than one image of the organisation.',
  'image-not-ready': 'The image has not been built yet.',
  'image-invalid-name': 'The name is not a valid image name.',
  'build-failed': "The build of the experiment's image failed.",
  'image-unsupported': "The image has no version for the hosts' platform, or a format that they can't run.",
  'image-too-large': 'The image is too large to be copied at launch.',
  'image-pull-failed': 'The host failed to pull the image.',
  'image-corrupt': 'The layers of the image are damaged. Build or push it again.',
  'image-config-invalid': "The image's own configuration keeps a container from starting.",
  'image-not-scanned': "The organisation's launchGate requires a scan, and the image has none.",
  'vulnerabilities-found': "The image has vulnerabilities at or above the organisation's launchGate.",
  'image-without-shell': 'The image has no /bin/sh.',
  'registry-unavailable': 'Slipway could not reach the registry, or got an answer that no registry gives.',
  'registry-rate-limited': 'The registry refuses further requests for now.',
  'command-not-found': 'The command does not exist in the image.',
  'command-not-executable': "The command exists in the image but can't be executed.",
  'no-command': 'Neither the experiment nor its image has a command.',
  'definition-too-large': 'The command and environment together are too large for a job definition.',
  'exit-code': 'The command failed.',
  'out-of-memory': 'The command used more memory than its compute has.',
  'timed-out': 'The attempt took longer than timeoutSeconds.',
  'compute-unavailable': 'No host could ever run this.',
  blocked: 'No host can take the job at the moment.',
  waiting: 'Other jobs are running on the hosts that the job could run on.',
  'no-capacity': 'AWS had no free host.',
  'host-lost': 'The host disappeared during the attempt.',
  'queue-timeout':
    'No host became available within the time that jobs may wait, although no other job was running on these hosts.',
  'stopped-by-user': 'A member asked to stop the experiment.',
  'launch-failed': 'The attempt failed to start.',
  'job-lost': 'The job no longer exists.',
} as const;
export type ExperimentReason = keyof typeof experimentReasons;

/** Bytes of command and environment together; a job definition ends at 24 KiB and JSON may lengthen both. */
export const commandAndEnvLimitBytes = 16_384;

const name = lineOfText(128).meta({ example: 'iris' });
const tags = z
  .array(lineOfText(128))
  .max(50)
  .refine((all) => new Set(all).size === all.length, 'must not contain a tag twice');

const env = z
  .record(
    z
      .string()
      .regex(
        /^[A-Za-z_][A-Za-z0-9_]{0,255}$/,
        'must consist of letters, digits and underscores, and must not begin with a digit',
      )
      .refine(
        (one) => !/^(SLIPWAY_|AWS_BATCH)/.test(one),
        'must not begin with SLIPWAY_ or AWS_BATCH, which are reserved',
      ),
    z.string().max(8192).refine(hasNoNul, 'must not contain a NUL character'),
  )
  .meta({ id: 'Environment' });

const command = z
  .array(z.string().max(8192).refine(hasNoNul, 'must not contain a NUL character'))
  .min(1)
  .max(200)
  .refine((all) => all[0] !== '', 'must begin with the name of a program')
  .meta({ example: ['python', 'train.py', '--epochs', '200'] });

const entrypoint = z.enum(['replace', 'keep']).meta({ id: 'Entrypoint' });

const retry = z
  .strictObject({
    attempts: z.int().min(1).max(10),
    on: z
      .array(retryCauseSchema)
      .refine((all) => new Set(all).size === all.length, 'must not contain a cause twice')
      .default(['no-capacity', 'host-lost']),
  })
  .meta({ id: 'NewRetry' });

function hasNoNul(text: string): boolean {
  return !text.includes('\0');
}

export const newExperimentSchema = z.lazy(() =>
  z
    .strictObject({
      name: name.optional(),
      image: lineOfText(512).optional().meta({
        description:
          "The name of an image, as for `docker run`. Default: the organisation's default image, or the deployment's if it has none.",
        example: 'iris:v1',
      }),
      build: experimentBuildSchema.optional().meta({
        description: 'Builds an image first and runs in its digest. Must not be combined with `image`.',
      }),
      command: command.optional().meta({ description: "Default: the image's own command." }),
      entrypoint: entrypoint.default('replace').meta({
        description:
          "`replace`: the command runs instead of the image's ENTRYPOINT. `keep`: the ENTRYPOINT gets the command as arguments.",
      }),
      compute: z.string().min(1).max(64).optional().meta({
        description: 'The name of a compute with use `run` (`GET /v1/computes`). Default: the first one.',
      }),
      env: env.default({}),
      tags: tags.default([]),
      project: lineOfText(128).optional(),
      timeoutSeconds: z.int().min(60).max(2_592_000).optional().meta({
        description: 'The maximum duration of an attempt. AWS Batch ends an attempt that takes longer.',
      }),
      retry: retry.optional().meta({
        description:
          'Default: one attempt per queue of the compute. Another attempt follows only if the host was lost or AWS had no capacity.',
      }),
    })
    .check(
      acrossFields(({ command, env, image, build }, add) => {
        if (image !== undefined && build !== undefined) add(['image'], 'must not be combined with `build`');
        if (sizeBytes(command ?? [], env) > commandAndEnvLimitBytes)
          add(['command'], `must be at most ${commandAndEnvLimitBytes} bytes together with \`env\``);
      }),
    )
    .meta({ id: 'NewExperiment' }),
);
export type NewExperiment = z.output<typeof newExperimentSchema>;

function sizeBytes(words: string[], variables: Record<string, string>): number {
  const all = [...words, ...Object.entries(variables).flat()];
  return all.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

/** Missing and null fields are left alone. */
export const experimentChangeSchema = z.lazy(() =>
  z.strictObject({ name: name.nullish(), tags: tags.nullish() }).meta({ id: 'ExperimentChange' }),
);
export type ExperimentChange = z.output<typeof experimentChangeSchema>;

const reason = z
  .object({
    code: z.string().meta({ description: 'A stable code that clients can branch on.', example: 'exit-code' }),
    message: z.string().meta({ description: "What happened. Quotes AWS's own message if there is one." }),
  })
  .meta({ id: 'ExperimentReason' });

const attempt = z
  .object({
    number: z.int().meta({ description: 'Counted from 1.' }),
    queue: z.string(),
    jobId: z.string().optional().meta({ description: 'The id of the AWS Batch job.' }),
    createdAt: timestamp,
    startedAt: timestamp.optional(),
    finishedAt: timestamp.optional(),
    exitCode: z.int().optional(),
    reason: reason.optional(),
  })
  .meta({ id: 'ExperimentAttempt' });

const experimentStatusSchema = z.enum(experimentStatuses).meta({ id: 'ExperimentStatus' });

export const experimentSchema = z.lazy(() =>
  z
    .object({
      id: idSchema('experiment'),
      name: z.string(),
      status: experimentStatusSchema,
      statusReason: reason.optional(),
      image: z
        .object({
          requested: z
            .string()
            .optional()
            .meta({ description: 'The requested name. Absent if the request named no image.' }),
          rule: imageRuleSchema.optional().meta({
            description:
              'How Slipway resolved the name. Present once the status is `pending`, as are `uri` and `digest`.',
          }),
          uri: z.string().optional(),
          digest: z.string().optional(),
          warnings: z.array(z.string()).optional(),
          pulledFrom: z.string().optional().meta({
            description:
              'The image that hosts pull, if it differs from `uri`: a copy in your own registry, or the cache of a public one.',
          }),
        })
        .meta({ id: 'ExperimentImage' }),
      build: z
        .object({
          id: idSchema('build'),
          imageId: idSchema('image'),
          status: buildStatusSchema
            .optional()
            .meta({ description: 'The final status of the build. Absent while it is in progress.' }),
        })
        .meta({ id: 'ExperimentBuild' })
        .optional()
        .meta({ description: 'The build of the image. The experiment is `pending` until it ends.' }),
      command: z.array(z.string()).optional(),
      entrypoint,
      compute: z.string(),
      env,
      tags: z.array(z.string()),
      project: z.string().optional(),
      timeoutSeconds: z.int(),
      retry: z.object({ attempts: z.int(), on: z.array(retryCauseSchema) }).meta({ id: 'Retry' }),
      attempts: z.array(attempt),
      exitCode: z.int().optional(),
      stopRequestedAt: timestamp.optional(),
      author: z.string(),
      createdAt: timestamp,
      updatedAt: timestamp,
      startedAt: timestamp.optional(),
      finishedAt: timestamp.optional(),
    })
    .meta({ id: 'Experiment' }),
);
export type Experiment = z.infer<typeof experimentSchema>;

export const experimentSorts = ['createdAt', 'status', 'author', 'project'] as const;
const experimentSort = sortBy('ExperimentSort', experimentSorts);

export const experimentListQuery = z.lazy(() =>
  z.strictObject({
    ...listQuery(experimentSort),
    tag: z.string().max(128).optional(),
    status: experimentStatusSchema.optional(),
    author: z.string().max(320).optional(),
    project: z.string().max(128).optional(),
    q: z.string().min(1).max(128).optional().meta({ description: 'A substring of the name, in any case.' }),
  }),
);
