/** Inspection (I6): an image as its registry has it at this moment. */
import * as z from 'zod';
import { platformName } from './platform.ts';

const platform = platformName.optional().meta({
  description: 'Default: linux/amd64 if the image has it, otherwise its first platform.',
  example: 'linux/arm64',
});

const versions = z.enum(['one', 'all']).meta({ id: 'InspectedVersions' }).default('one').meta({
  description:
    '`all`: also requests the tag in every manifest version, since a registry may convert manifests.',
});

export const inspectQuery = z.lazy(() => z.strictObject({ platform, versions }));

export const inspectReferenceSchema = z.lazy(() =>
  z
    .strictObject({
      url: z.string().trim().min(1).max(512).meta({
        description: 'The full URL of an image. Without a registry, Slipway asks Docker Hub.',
        example: 'quay.io/podman/hello:latest',
      }),
      platform,
      versions,
    })
    .meta({ id: 'InspectReference' }),
);

const digest = z.string().meta({ description: '`sha256:` and 64 hex digits.' });
const sizeBytes = z.int();
const mediaType = z.string();
const selfLink = z.string().meta({
  description: 'The URL of the manifest in the registry.',
  example: 'https://registry-1.docker.io/v2/library/python/manifests/sha256:…',
});

const manifestSchema = z
  .object({
    version: z
      .enum(['docker-schema-1', 'docker-schema-2', 'docker-list', 'oci', 'oci-index'])
      .meta({ id: 'ManifestVersion' }),
    mediaType,
    digest,
    sizeBytes,
    selfLink,
    document: z
      .unknown()
      .optional()
      .meta({ description: 'The manifest as the registry serves it. Absent above 256 KiB.' }),
  })
  .meta({ id: 'Manifest' });

export const inspectionSchema = z.lazy(() =>
  z
    .object({
      uri: z.string(),
      digest: digest.meta({ description: 'The digest that the name refers to, of an index or a manifest.' }),
      mediaType,
      selfLink,
      platform: z.string().meta({ description: 'The chosen platform.' }),
      platforms: z.array(z.string()),
      platformDigest: digest.meta({ description: "The digest of the chosen platform's manifest." }),
      sizeBytes: sizeBytes.meta({ description: 'The compressed size of the chosen platform.' }),
      layers: z
        .array(z.object({ digest, mediaType, sizeBytes }).meta({ id: 'Layer' }))
        .meta({ description: 'The layers, the base first.' }),
      config: z
        .object({
          digest: digest
            .optional()
            .meta({ description: 'Absent for Docker schema 1, which has no configuration blob.' }),
          os: z.string(),
          architecture: z.string(),
          variant: z.string().optional(),
          created: z.string().optional(),
          env: z.array(z.string()),
          labels: z.record(z.string(), z.string()).meta({ id: 'Labels' }),
          entrypoint: z.array(z.string()),
          command: z.array(z.string()),
          user: z.string(),
          workingDir: z.string(),
          exposedPorts: z.array(z.string()),
        })
        .meta({ id: 'ImageConfig' }),
      manifests: z.array(manifestSchema).meta({
        description:
          'The index, if any, and the manifest of the platform. With `versions=all`, every version of them.',
      }),
    })
    .meta({ id: 'Inspection' }),
);
export type Inspection = z.infer<typeof inspectionSchema>;
