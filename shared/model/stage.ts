/**
 * The stage configuration: everything a platform engineer decides about one deployment.
 * It travels as `stage.json` beside each function's bundle, so it holds no deploy-time values.
 */
import * as z from 'zod';
import { lineOfText } from './common.ts';

/** Lower-case label, usable in AWS names, ECR repositories and keys alike. */
const label = z
  .string()
  .regex(
    /^(?!.*--)[a-z][a-z0-9-]{0,30}[a-z0-9]$/,
    'must be 2 to 32 lowercase letters, digits and single hyphens, and must begin with a letter',
  );

const organisation = z.strictObject({
  id: label,
  title: lineOfText(150),
  /** Email of the first admin, who invites everybody else. */
  adminEmail: z.email(),
});

const certificates = /^\s*(?:-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+$/;

const cacheAccount = z.strictObject({ username: z.string().min(1).max(255) });

/** A group of hosts of one kind: one Batch compute environment per organisation, or one for all. */
const environment = z.strictObject({
  name: label,
  capacity: z.enum(['spot', 'on-demand']),
  /** EC2 instance types, such as `g5.xlarge`. */
  instanceTypes: z.array(z.string()).min(1),
  gpu: z.boolean(),
  maxVcpus: z.int().positive(),
});

/** A Batch queue per organisation; its environments are tried in order (at most three). */
const queue = z.strictObject({
  name: label,
  environments: z.array(label).min(1).max(3),
});

const compute = z.discriminatedUnion('use', [
  z.strictObject({
    use: z.literal('build'),
    name: label,
    vcpus: z.int().positive(),
    memoryMiB: z.int().positive(),
    /** CodeBuild compute type, such as `BUILD_GENERAL1_SMALL`. */
    computeType: z.string(),
    pricePerHourUsd: z.number().nonnegative(),
    /** Builds at once in an organisation. Jobs have no such number: their environments' `maxVcpus` is the limit. */
    maxConcurrent: z.int().positive(),
  }),
  z.strictObject({
    use: z.literal('run'),
    name: label,
    /** Batch takes whole vCPUs on EC2. */
    vcpus: z.int().positive(),
    /** At most 0.92 of the instance's nominal memory: hosts register less than they have. No engine starts less than 6 MiB. */
    memoryMiB: z.int().min(6),
    gpus: z.int().nonnegative(),
    gpuType: z.string().optional(),
    pricePerHourUsd: z.number().nonnegative(),
    /** Tried in order: the next one after a lost host or missing capacity. */
    queues: z.array(label).min(1),
  }),
]);

export const stageSchema = z
  .strictObject({
    stage: label,
    organisations: z.array(organisation).min(1),
    /** Sender of all mail: an identity that SES has verified, or will be asked to. */
    mailFrom: z.email(),
    /** `create`: the stack asks SES to verify `mailFrom`. `existing`: the account already has it, or its domain. */
    mailIdentity: z.enum(['create', 'existing']).default('create'),
    /** An OIDC issuer of your own; left out, the stack makes a Cognito user pool. */
    oidc: z.strictObject({ issuer: z.url(), audience: z.string() }).optional(),
    /** Availability zones that hosts may be in; more find GPUs more often. A few regions have only two. */
    availabilityZones: z.int().min(1).max(6).default(3),
    environments: z.array(environment).min(1),
    /** `dedicated`: each organisation has its own. `shared`: jobs of all run on the same ones, which docs/security.md weighs. */
    hosts: z.enum(['dedicated', 'shared']).default('dedicated'),
    queues: z.array(queue).min(1),
    computes: z.array(compute).min(1),
    /** How long a job may wait for a host while no other job runs on such hosts. */
    queueTimeoutSeconds: z.int().min(10).default(3600),
    /** Longest life of a build, and of an experiment that names no time-out. */
    buildTimeoutSeconds: z.int().min(300).max(129_600).default(3600),
    experimentTimeoutSeconds: z.int().min(60).default(86_400),
    /**
     * How long after its end the last lines of a job may be on their way into its log. ECS's log driver sends them while
     * the end is being reported.
     */
    jobLogGraceSeconds: z.number().min(0).max(60).default(4),
    /** Requests of one member that may wait (`wait=25`) at the same time: each takes up an environment of a function. */
    waitsPerMember: z.int().min(1).max(1000).default(10),
    builder: z
      .strictObject({
        /** `registry` needs buildx; `inline` works with older engines. */
        cacheMode: z.enum(['registry', 'inline']).default('registry'),
        /** `dedicated`: the build host is ours to configure (CodeBuild); `shared`: it is someone's machine. */
        host: z.enum(['dedicated', 'shared']).default('dedicated'),
      })
      .prefault({}),
    /** Hosts (`name` or `name:port`) inside private address ranges that Slipway may talk to; only these may be `http://`. */
    privateRegistries: z.array(z.string()).default([]),
    /** Certificates (PEM, one after the other) of authorities that registries of your own are signed by. */
    privateCertificateAuthorities: z
      .string()
      .regex(
        certificates,
        'must be certificates in PEM form, one after the other: -----BEGIN CERTIFICATE----- and so on',
      )
      .optional(),
    /**
     * Public registries that ECR is a cache of, so that hosts pull from inside AWS. Rules are the account's and the
     * region's. Docker Hub and GHCR want an account of their own: `username` here, its token into the secret that the
     * stack makes. Whatever that account may read, every organisation may run: give it nothing private.
     */
    pullThroughCache: z
      .strictObject({
        dockerHub: cacheAccount.optional(),
        ghcr: cacheAccount.optional(),
        quay: z.literal(true).optional(),
        ecrPublic: z.literal(true).optional(),
      })
      .optional(),
    /** Keep data when the stack is deleted. */
    retainData: z.boolean().default(true),
  })
  .superRefine((stage, context) => {
    const environments = new Set(stage.environments.map((one) => one.name));
    const queues = new Set(stage.queues.map((one) => one.name));
    for (const one of stage.queues)
      for (const name of one.environments)
        if (!environments.has(name))
          context.addIssue({
            code: 'custom',
            path: ['queues'],
            message: `queue ${one.name} names the environment ${name}, which does not exist`,
          });
    for (const one of stage.computes)
      if (one.use === 'run')
        for (const name of one.queues)
          if (!queues.has(name))
            context.addIssue({
              code: 'custom',
              path: ['computes'],
              message: `compute ${one.name} names the queue ${name}, which does not exist`,
            });
  });

export type Stage = z.infer<typeof stageSchema>;
export type Compute = Stage['computes'][number];
export type RunCompute = Extract<Compute, { use: 'run' }>;
export type BuildCompute = Extract<Compute, { use: 'build' }>;
