/** Images (I1–I5): what may be asked for and what is answered. An image is one tag of one repository of one registry. */
import * as z from 'zod';
import { acrossFields } from './across-fields.ts';
import { buildStatusSchema } from './build.ts';
import { lineOfText, listQuery, moment, pageOf, sortBy, timestamp } from './common.ts';
import { idSchema } from './id.ts';
import { imageRuleSchema } from './image-rules.ts';
import { logoNames, uploadedLogo } from './logo.ts';
import { dockerfileProblem, newBuildSource } from './new-build.ts';
import { platformName } from './platform.ts';
import { imageStatuses } from './states.ts';
import { imageValidationSchema } from './validation.ts';

/** As registries want it: lower-case parts of letters and digits, joined by `.`, `_`, `__`, hyphens and slashes. */
export const repositoryName = z
  .string()
  .max(180)
  .regex(
    /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/,
    'must consist of lowercase letters and digits, separated by single `.`, `_`, `/` or hyphens',
  )
  .meta({ example: 'vision/trainer' });

export const tagName = z
  .string()
  .regex(
    /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/,
    'must consist of at most 128 letters, digits, `_`, `.` and hyphens, and must not begin with `.` or a hyphen',
  )
  .meta({ example: '1.4.0' });

/** Tags that Slipway itself moves, such as the layer cache's. */
export const reservedTagPrefix = 'slipway-';

const readme = z.string().max(65_536).meta({ description: 'Markdown.' });
const logo = z.enum(logoNames).meta({ id: 'LogoName' });

const imageStatusSchema = z.enum(imageStatuses).meta({ id: 'ImageStatus' });
const imageSourceSchema = z.enum(['build', 'reference', 'mirror', 'catalogue']).meta({ id: 'ImageSource' });

export const imageSchema = z.lazy(() =>
  z
    .object({
      id: idSchema('image'),
      registryId: idSchema('registry').optional().meta({
        description: 'The connected registry. Absent if the registry was never connected.',
      }),
      registry: z.string().meta({ description: 'The host of the registry.', example: 'docker.io' }),
      repository: z.string(),
      tag: z.string(),
      uri: z.string().meta({ description: 'The name to give to `docker pull`.' }),
      digest: z.string().optional(),
      sizeBytes: z
        .int()
        .optional()
        .meta({ description: 'The compressed size, as the registry stores the image.' }),
      platforms: z
        .array(z.string())
        .optional()
        .meta({ example: ['linux/amd64', 'linux/arm64'] }),
      status: imageStatusSchema,
      source: imageSourceSchema,
      author: z.string(),
      createdAt: timestamp,
      updatedAt: timestamp,
      readme: readme.optional().meta({ description: 'Markdown. Lists omit it.' }),
      logo: z
        .enum([...logoNames, uploadedLogo])
        .meta({ id: 'Logo' })
        .optional()
        .meta({
          description:
            'The name of a logo, or `uploaded` for an uploaded one. `GET /v1/images/{id}/logo` returns the picture of either.',
        }),
      currentBuild: z
        .object({ id: idSchema('build'), status: buildStatusSchema, cached: z.boolean() })
        .meta({ id: 'ImageBuild' })
        .optional()
        .meta({ description: 'The build in progress, or the last one.' }),
      mirror: z
        .object({ imageId: idSchema('image'), uri: z.string(), digest: z.string() })
        .meta({ id: 'ImageMirror' })
        .optional()
        .meta({ description: 'The last copy of this image in a private registry.' }),
      validation: imageValidationSchema.optional(),
      warnings: z
        .array(z.string())
        .optional()
        .meta({ description: 'Warnings about the registry of the image.' }),
      parentUri: z.string().optional().meta({ description: 'The base image, if Slipway knows it.' }),
      catalogue: z
        .object({
          family: z.enum(['kubeflow', 'slipway']).meta({ id: 'CatalogueFamily' }),
          ide: z.enum(['jupyterlab', 'code-server', 'rstudio']).meta({ id: 'CatalogueIde' }).optional(),
          accelerator: z.enum(['cuda', 'gaudi']).meta({ id: 'CatalogueAccelerator' }).optional(),
          deprecated: z.boolean().meta({ description: 'Whether its publisher deprecated it.' }),
          alsoAt: z.array(z.string()).meta({ description: 'URIs of the same image in other registries.' }),
        })
        .meta({ id: 'CatalogueEntry' })
        .optional()
        .meta({
          description: 'Only images of the catalogue have it. They can be neither changed nor deleted.',
        }),
    })
    .meta({ id: 'Image' }),
);
export type Image = z.infer<typeof imageSchema>;

export const imagePageSchema = z.lazy(() => pageOf('ImagePage', imageSchema));

/** Columns of the table of images (I1). */
export const imageColumns = ['createdAt', 'status', 'repository', 'tag', 'registryId', 'author'] as const;
const imageSort = sortBy('ImageSort', imageColumns);

export const imageListQuery = z.lazy(() =>
  z.strictObject({
    ...listQuery(imageSort),
    status: imageStatusSchema.optional(),
    repository: z.string().max(255).optional(),
    tag: z.string().max(128).optional(),
    registryId: idSchema('registry').optional(),
    source: imageSourceSchema.optional().meta({
      description:
        '`catalogue` lists the images that every organisation has. Without it, the list omits them.',
    }),
    author: z.string().max(320).optional(),
    createdAt: moment
      .optional()
      .meta({ description: 'Lists images that were created at exactly this time.' }),
    createdAfter: moment
      .optional()
      .meta({ description: 'Lists images that were created at this time or later.' }),
    createdBefore: moment
      .optional()
      .meta({ description: 'Lists images that were created before this time.' }),
    name: z.string().min(1).max(400).optional().meta({
      description:
        'Looks up one `repository:tag`. If several registries have it, the answer is 409 with the candidates: choose one with `registryId`.',
    }),
    q: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .meta({ description: 'A substring of repository, tag, URI or author, in any case.' }),
  }),
);

const referenceSource = z
  .strictObject({
    type: z.literal('reference'),
    url: z.string().trim().min(1).max(512).optional().meta({
      description:
        'The full URL of an image, instead of registry, repository and tag. The default tag is `latest`. A URL with a digest must have a tag too (`quay.io/podman/hello:latest@sha256:…`), since Slipway lists images by tag.',
      example: 'quay.io/podman/hello',
    }),
  })
  .meta({ id: 'ReferenceSource' });

export const newImageSchema = z.lazy(() =>
  z
    .strictObject({
      source: z.discriminatedUnion('type', [newBuildSource, referenceSource]).meta({ id: 'NewImageSource' }),
      registryId: idSchema('registry').optional().meta({
        description:
          "The registry of a build, or of a reference without `url`. Default: the organisation's default registry, or its own space in ECR if it has none.",
      }),
      repository: repositoryName.optional(),
      tag: tagName.optional().meta({ description: 'Default: `latest`.' }),
      readme: readme.optional(),
      logo: logo.optional(),
    })
    .check(
      acrossFields(({ source, registryId, repository, tag }, add) => {
        const problem = source.type === 'build' ? dockerfileProblem(source) : undefined;
        if (problem) add(['source', 'dockerfile'], problem);
        const byUrl = source.type === 'reference' && source.url !== undefined;
        if (byUrl)
          for (const [name, value] of Object.entries({ registryId, repository, tag }))
            if (value !== undefined) add([name], 'must not be combined with `url`');
        if (!byUrl && repository === undefined)
          add(
            ['repository'],
            source.type === 'build' ? 'is required' : 'is required unless `source` has a `url`',
          );
        if (source.type === 'build' && tag?.startsWith(reservedTagPrefix))
          add(['tag'], `must not begin with ${reservedTagPrefix}, which Slipway reserves`);
      }),
    )
    .meta({ id: 'NewImage' }),
);
export type NewImage = z.output<typeof newImageSchema>;

/** A missing or null field is left alone; an empty readme removes it. */
export const imageChangeSchema = z.lazy(() =>
  z.strictObject({ readme: readme.nullish(), logo: logo.nullish() }).meta({ id: 'ImageChange' }),
);
export type ImageChange = z.output<typeof imageChangeSchema>;

/** What is left out is as for a build; the name is by default that of the image which is mirrored. */
export const newMirrorSchema = z.lazy(() =>
  z
    .strictObject({
      registryId: idSchema('registry').optional().meta({
        description: "Default: the organisation's own space in ECR.",
      }),
      repository: repositoryName.optional(),
      tag: tagName
        .refine(
          (tag) => !tag.startsWith(reservedTagPrefix),
          `must not begin with ${reservedTagPrefix}, which Slipway reserves`,
        )
        .optional(),
      platform: platformName
        .optional()
        .meta({ description: 'Copies only this platform. Default: all platforms.', example: 'linux/arm64' }),
      force: z
        .boolean()
        .default(false)
        .meta({ description: 'Replaces the tag if it exists in the target registry.' }),
    })
    .meta({ id: 'NewMirror' }),
);
export type NewMirror = z.output<typeof newMirrorSchema>;

/** I14: where an image is to be had. */
export const imageLocationSchema = z.lazy(() =>
  z
    .object({
      kind: z.enum(['pull', 'manifest']).meta({
        id: 'ImageLocationKind',
        description:
          '`pull`: a private registry of the organisation has the image or a mirror of it. `manifest`: only a public registry has it.',
      }),
      uri: z.string().meta({
        description: 'The name to give to `docker pull`, with the digest; or the URL of the manifest.',
        example: 'https://registry-1.docker.io/v2/library/python/manifests/sha256:…',
      }),
      digest: z.string(),
    })
    .meta({ id: 'ImageLocation' }),
);
export type ImageLocationAnswer = z.infer<typeof imageLocationSchema>;

export const resolveImageSchema = z.lazy(() =>
  z
    .strictObject({
      image: lineOfText(512).optional().meta({
        description:
          'The name of an image, as for `docker run`. Default: the image of an experiment that names none.',
      }),
    })
    .meta({ id: 'ResolveImage' }),
);

export const resolvedImageSchema = z.lazy(() =>
  z
    .object({
      requested: z.string().optional(),
      rule: imageRuleSchema.meta({ description: 'The rule by which Slipway resolved the name.' }),
      uri: z.string(),
      digest: z.string().meta({ description: 'The digest that the tag names now.' }),
      warnings: z.array(z.string()),
    })
    .meta({ id: 'ResolvedImage' }),
);
export type ResolvedImage = z.infer<typeof resolvedImageSchema>;
