/** Images (I1–I5): what may be asked for and what is answered. An image is one tag of one repository of one registry. */
import * as z from 'zod';
import { acrossFields } from './across-fields.ts';
import { buildStatusSchema, dockerfileProblem, newBuildSource } from './build.ts';
import { listQuery, moment, pageOf, sortBy, timestamp } from './common.ts';
import { idSchema } from './id.ts';
import { imageRuleSchema } from './image-rules.ts';
import { logoNames, uploadedLogo } from './logo.ts';
import { platformName } from './platform.ts';
import { imageStatuses } from './states.ts';
import { imageValidationSchema } from './validation.ts';

/** As registries want it: lower-case parts of letters and digits, joined by `.`, `_`, `__`, hyphens and slashes. */
export const repositoryName = z
  .string()
  .max(180)
  .regex(
    /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/,
    'lower-case letters and digits, parted by single `.`, `_`, `/` or hyphens',
  )
  .meta({ example: 'vision/trainer' });

export const tagName = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/, 'letters, digits, `_`, `.` and hyphens; at most 128')
  .meta({ example: '1.4.0' });

/** Tags that Slipway itself moves, such as the layer cache's. */
export const reservedTagPrefix = 'slipway-';

const readme = z.string().max(65_536).meta({ description: 'Markdown' });
const logo = z.enum(logoNames).meta({ id: 'LogoName' });

const imageStatusSchema = z.enum(imageStatuses).meta({ id: 'ImageStatus' });
const imageSourceSchema = z.enum(['build', 'reference', 'mirror', 'catalogue']).meta({ id: 'ImageSource' });

export const imageSchema = z.lazy(() =>
  z
    .object({
      id: idSchema('image'),
      registryId: idSchema('registry').optional().meta({
        description: 'Absent for an image of a registry that was never connected',
      }),
      registry: z.string().meta({ description: 'Host of the registry', example: 'docker.io' }),
      repository: z.string(),
      tag: z.string(),
      uri: z.string().meta({ description: 'What `docker pull` takes' }),
      digest: z.string().optional(),
      sizeBytes: z.int().optional().meta({ description: 'Compressed, as the registry stores it' }),
      platforms: z
        .array(z.string())
        .optional()
        .meta({ example: ['linux/amd64', 'linux/arm64'] }),
      status: imageStatusSchema,
      source: imageSourceSchema,
      author: z.string(),
      createdAt: timestamp,
      updatedAt: timestamp,
      readme: readme.optional().meta({ description: 'Markdown; lists leave it out' }),
      logo: z
        .enum([...logoNames, uploadedLogo])
        .meta({ id: 'Logo' })
        .optional()
        .meta({
          description:
            '`uploaded`: a picture of its own. The picture is at `/v1/images/{id}/logo` in either case',
        }),
      currentBuild: z
        .object({ id: idSchema('build'), status: buildStatusSchema, cached: z.boolean() })
        .meta({ id: 'ImageBuild' })
        .optional()
        .meta({ description: 'The build under way, else the last one' }),
      mirror: z
        .object({ imageId: idSchema('image'), uri: z.string(), digest: z.string() })
        .meta({ id: 'ImageMirror' })
        .optional()
        .meta({ description: 'The last mirror of this image' }),
      validation: imageValidationSchema.optional(),
      warnings: z
        .array(z.string())
        .optional()
        .meta({ description: 'What is worth knowing about its registry; absent where there is nothing' }),
      parentUri: z.string().optional().meta({ description: 'What it is built on, where that is known' }),
      catalogue: z
        .object({
          family: z.enum(['kubeflow', 'slipway']).meta({ id: 'CatalogueFamily' }),
          ide: z.enum(['jupyterlab', 'code-server', 'rstudio']).meta({ id: 'CatalogueIde' }).optional(),
          accelerator: z.enum(['cuda', 'gaudi']).meta({ id: 'CatalogueAccelerator' }).optional(),
          deprecated: z.boolean().meta({ description: 'By those who publish it' }),
          alsoAt: z.array(z.string()).meta({ description: 'Other registries that have it' }),
        })
        .meta({ id: 'CatalogueEntry' })
        .optional()
        .meta({ description: 'Of an image of the catalogue, which can be neither changed nor deleted' }),
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
      description: '`catalogue`: the images that every organisation has, which are not among the others',
    }),
    author: z.string().max(320).optional(),
    createdAt: moment.optional().meta({ description: 'Created at exactly this time' }),
    createdAfter: moment.optional().meta({ description: 'Created at this time or later' }),
    createdBefore: moment.optional().meta({ description: 'Created before this time' }),
    name: z.string().min(1).max(400).optional().meta({
      description:
        'Looks up one `repository:tag`. 409 with the candidates where several registries have it; name the one with `registryId`.',
    }),
    q: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .meta({ description: 'Substring of repository, tag, uri or author, whatever its case' }),
  }),
);

const referenceSource = z
  .strictObject({
    type: z.literal('reference'),
    url: z.string().trim().min(1).max(512).optional().meta({
      description:
        'Full URL of an image, in place of registry, repository and tag. Without a tag it is `latest`; one by digest needs a tag beside it (`quay.io/podman/hello:latest@sha256:…`), since an image here is one tag: 422 otherwise.',
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
          "Of a build, or a reference without a url. Left out: the organisation's default registry, else its own space in ECR",
      }),
      repository: repositoryName.optional(),
      tag: tagName.optional().meta({ description: 'Left out: `latest`' }),
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
            if (value !== undefined) add([name], 'goes without a url, which already says it');
        if (!byUrl && repository === undefined)
          add(
            ['repository'],
            source.type === 'build' ? 'is needed' : 'is needed unless the source has a url',
          );
        if (source.type === 'build' && tag?.startsWith(reservedTagPrefix))
          add(['tag'], `tags that begin with ${reservedTagPrefix} are Slipway's own`);
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
        description: "Left out: the organisation's own space",
      }),
      repository: repositoryName.optional(),
      tag: tagName
        .refine((tag) => !tag.startsWith(reservedTagPrefix), `begins with ${reservedTagPrefix}`)
        .optional(),
      platform: platformName
        .optional()
        .meta({ description: 'Left out: every platform', example: 'linux/arm64' }),
      force: z.boolean().default(false).meta({ description: 'Whether the tag may be there already' }),
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
          '`pull`: it lies in a private registry of the organisation, itself or as a mirror; `manifest`: only in its public one',
      }),
      uri: z.string().meta({
        description: 'What `docker pull` takes, by digest; or the URL of the manifest',
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
      image: z
        .string()
        .trim()
        .min(1)
        .max(512)
        .optional()
        .meta({ description: 'As one would type it; left out, what an experiment without an image gets' }),
    })
    .meta({ id: 'ResolveImage' }),
);

export const resolvedImageSchema = z.lazy(() =>
  z
    .object({
      requested: z.string().optional(),
      rule: imageRuleSchema.meta({ description: 'How the name was understood' }),
      uri: z.string(),
      digest: z.string().meta({ description: 'Of the version that the tag names now' }),
      warnings: z.array(z.string()),
    })
    .meta({ id: 'ResolvedImage' }),
);
export type ResolvedImage = z.infer<typeof resolvedImageSchema>;
