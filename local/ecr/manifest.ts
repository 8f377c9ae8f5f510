/** What a registry must know of a manifest to keep its promises: its type and what it refers to. */
import { createHash } from 'node:crypto';
import * as z from 'zod';

export const indexMediaTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const imageMediaTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

export class ManifestInvalidError extends Error {
  override name = 'ManifestInvalidError';
}

export interface ParsedManifest {
  digest: string;
  mediaType: string;
  artifactType?: string;
  /** Digests that must be in the repository: config and layers, without layers that live at their own URLs. */
  blobs: string[];
  /** Digests of an index's manifests. */
  manifests: string[];
  /** The manifest that this one is about (signatures, attestations). */
  subject?: string;
  annotations?: Record<string, string>;
  /** Digests of config and layers, each as often as it is named. */
  parts: string[];
}

const descriptor = z.object({
  mediaType: z.string().optional(),
  digest: z.string().regex(/^sha256:[a-f0-9]{64}$/),
  size: z.number().int().nonnegative(),
  urls: z.array(z.string()).optional(),
});
const common = {
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  subject: descriptor.optional(),
  annotations: z.record(z.string(), z.string()).optional(),
};
const image = z.object({ ...common, config: descriptor, layers: z.array(descriptor) });
const index = z.object({ ...common, manifests: z.array(descriptor) });

/** Parses an image manifest or an index. Throws `ManifestInvalidError` where it is neither. */
export function parseManifest(bytes: Buffer, contentType: string | undefined): ParsedManifest {
  const json = parseJson(bytes);
  const mediaType =
    contentType?.split(';')[0]?.trim() || (json as { mediaType?: string } | null)?.mediaType || '';
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  if (!indexMediaTypes.includes(mediaType) && !imageMediaTypes.includes(mediaType))
    throw new ManifestInvalidError(`Manifest media type '${mediaType}' is not supported`);
  if (indexMediaTypes.includes(mediaType)) {
    const parsed = check(index.safeParse(json));
    return {
      ...describe(parsed, mediaType, digest),
      blobs: [],
      manifests: parsed.manifests.map((one) => one.digest),
      parts: [],
    };
  }
  const parsed = check(image.safeParse(json));
  const parts = [parsed.config, ...parsed.layers];
  return {
    ...describe(parsed, mediaType, digest),
    artifactType: parsed.artifactType ?? parsed.config.mediaType ?? '',
    blobs: [...new Set(parts.filter((one) => !one.urls?.length).map((one) => one.digest))],
    manifests: [],
    parts: parts.map((one) => one.digest),
  };
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new ManifestInvalidError('Manifest is not JSON', { cause });
  }
}

function check<T>(result: z.ZodSafeParseResult<T>): T {
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ManifestInvalidError(`Manifest field '${issue?.path.join('.')}': ${issue?.message}`);
}

function describe(
  parsed: z.infer<typeof index> | z.infer<typeof image>,
  mediaType: string,
  digest: string,
): Pick<ParsedManifest, 'mediaType' | 'digest' | 'subject' | 'annotations' | 'artifactType'> {
  return {
    mediaType,
    digest,
    ...(parsed.subject && { subject: parsed.subject.digest }),
    ...(parsed.annotations && { annotations: parsed.annotations }),
    ...(parsed.artifactType && { artifactType: parsed.artifactType }),
  };
}
