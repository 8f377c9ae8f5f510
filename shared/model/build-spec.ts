/** What travels to the builder (`spec.json`) and back (`result.json`), both in S3 beside each other. */
import * as z from 'zod';
import { failureSchema, mirrorSchema } from './build.ts';
import { validationChecks, validationSchema } from './validation.ts';

/** Credentials that the builder fetches with its own role: it gets references, never values. */
const credentialsSource = z.discriminatedUnion('kind', [
  /** An ECR registry that the builder's role may use. `region` is taken from the host where it says it. */
  z.strictObject({
    kind: z.literal('ecr'),
    host: z.string(),
    accountId: z.string().optional(),
    region: z.string().optional(),
  }),
  /** A secret that holds `{"username","password"}`. */
  z.strictObject({
    kind: z.literal('secret'),
    host: z.string(),
    secretArn: z.string(),
    /** Of the registry whose account it is. */
    registryId: z.string().optional(),
  }),
]);
export type CredentialsSource = z.infer<typeof credentialsSource>;

/** What every kind of job has. */
const job = {
  version: z.literal(1),
  organisation: z.string(),
  buildId: z.string(),
  /** Hosts inside private networks that the deployment allows. */
  privateRegistries: z.array(z.string()),
  /** PEM of authorities beside the well-known ones: the stage's `privateCertificateAuthorities`. */
  certificateAuthorities: z.string().optional(),
  resultKey: z.string(),
};

export const buildSpecSchema = z.strictObject({
  ...job,
  kind: z.literal('build'),
  dockerfile: z.string(),
  context: z.strictObject({ key: z.string(), sha256: z.string(), sizeBytes: z.int() }).optional(),
  buildArgs: z.record(z.string(), z.string()),
  /** Digests of base images, by the references that the Dockerfile has: exactly these are built on. */
  bases: z.record(z.string(), z.string()),
  /** Secrets that hold `{"value"}`, by mount id: the values of the moment when the build was accepted. */
  secrets: z.array(z.strictObject({ id: z.string(), secretArn: z.string(), versionId: z.string() })),
  /** One for each registry host that the build pulls from or pushes to: an engine knows no more. */
  registries: z.array(credentialsSource),
  /** Base images with another account than the one of `registries` for their host. */
  otherAccounts: z
    .array(z.strictObject({ repository: z.string(), credentials: credentialsSource }))
    .optional(),
  /** Host, path and tag: what `docker push` takes. */
  target: z.string(),
  /** `false`: nothing is pushed, neither the image nor its cache. */
  push: z.literal(false).optional(),
  /** Reference (without digest) of the layer cache, in the organisation's own ECR space. */
  cache: z.string(),
});
export type BuildSpec = z.infer<typeof buildSpecSchema>;

/** A repository with the credentials that count for it. */
const side = { host: z.string(), repository: z.string(), credentials: credentialsSource.optional() };

const mirrorSpecSchema = z.strictObject({
  ...job,
  kind: z.literal('mirror'),
  /** `digest` is what `tag` named when the mirror was asked for. */
  source: z.strictObject({ ...side, tag: z.string(), digest: z.string() }),
  target: z.strictObject({ ...side, tag: z.string() }),
  /** `os/arch[/variant]`; absent: every platform. */
  platform: z.string().optional(),
  force: z.boolean(),
});
export type MirrorSpec = z.infer<typeof mirrorSpecSchema>;

const validationSpecSchema = z.strictObject({
  ...job,
  kind: z.literal('validation'),
  image: z.strictObject({ ...side, digest: z.string() }),
  checks: z.array(z.enum(validationChecks)),
});
export type ValidationSpec = z.infer<typeof validationSpecSchema>;

export const jobSpecSchema = z.discriminatedUnion('kind', [
  buildSpecSchema,
  mirrorSpecSchema,
  validationSpecSchema,
]);
export type JobSpec = z.infer<typeof jobSpecSchema>;

export const buildResultSchema = z.discriminatedUnion('outcome', [
  z.strictObject({
    outcome: z.literal('succeeded'),
    digest: z.string(),
    /** Both absent where the registry took the image and then didn't tell. */
    sizeBytes: z.int().optional(),
    platform: z.string().optional(),
    /** Milliseconds of each part of the work, for the timeline. */
    timingsMs: z.record(z.string(), z.number()),
  }),
  /** Built, and as asked not pushed. */
  z.strictObject({ outcome: z.literal('built'), timingsMs: z.record(z.string(), z.number()) }),
  z.strictObject({
    outcome: z.literal('mirrored'),
    digest: z.string(),
    sizeBytes: z.int(),
    platforms: z.array(z.string()),
    mirror: mirrorSchema,
    timingsMs: z.record(z.string(), z.number()),
  }),
  z.strictObject({
    outcome: z.literal('validated'),
    validation: validationSchema,
    timingsMs: z.record(z.string(), z.number()),
  }),
  z.strictObject({
    outcome: z.literal('failed'),
    failure: failureSchema,
    timingsMs: z.record(z.string(), z.number()),
  }),
]);
export type BuildResult = z.infer<typeof buildResultSchema>;
