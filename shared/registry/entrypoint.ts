/**
 * AWS Batch can't override an ENTRYPOINT, so an image that has one runs through a derived manifest: the same layers,
 * a configuration without ENTRYPOINT. Nothing of the image's content is copied within one repository.
 */
import { sha256Of } from './digest.ts';
import { dockerManifest, ociManifest } from './media-types.ts';
import type { Descriptor, Manifest, RegistryClient } from './model.ts';

const configLimitBytes = 4 * 1024 * 1024;
const rewritable = [dockerManifest, ociManifest];

/** A manifest in a format that can't be rewritten, such as Docker's schema 1. */
export class UnsupportedManifestError extends Error {
  constructor(mediaType: string) {
    super(`manifests of type ${mediaType} cannot be rewritten`);
    this.name = 'UnsupportedManifestError';
  }
}

interface ImageManifest {
  config: Descriptor;
  layers: (Descriptor & { urls?: string[] })[];
}

/** Throws `UnsupportedManifestError`. */
export function parseImageManifest({ mediaType, body }: Pick<Manifest, 'mediaType' | 'body'>): ImageManifest {
  if (!rewritable.includes(mediaType)) throw new UnsupportedManifestError(mediaType);
  return JSON.parse(body.toString()) as ImageManifest;
}

/** Manifest and configuration without ENTRYPOINT; CMD stays. */
export function withoutEntrypoint(
  manifest: Manifest,
  configBytes: Buffer,
): { manifest: Buffer; config: Buffer } {
  const original = JSON.parse(configBytes.toString()) as { config?: Record<string, unknown> };
  const { Entrypoint: _dropped, ...rest } = original.config ?? {};
  const config = Buffer.from(JSON.stringify({ ...original, config: rest }));
  const parsed = parseImageManifest(manifest);
  const descriptor = { ...parsed.config, digest: sha256Of(config), size: config.length };
  return { manifest: Buffer.from(JSON.stringify({ ...parsed, config: descriptor })), config };
}

/** Tag under which the derived manifest of a platform's manifest is kept: made once, found again. */
export const derivedTag = (platformDigest: string) =>
  `slipway-run-${platformDigest.slice('sha256:'.length, 39)}`;

/**
 * Puts all of the derived image but its manifest into `target`, whose registry must hold the layers already. Answers
 * the manifest, which makes it an image. `source` is where manifest and configuration are read.
 */
export async function putWithoutEntrypoint(
  source: { client: RegistryClient; repository: string; manifest: Manifest },
  target: { client: RegistryClient; repository: string },
): Promise<{ body: Buffer }> {
  const { config } = parseImageManifest(source.manifest);
  const original = await source.client.readBlob(source.repository, config.digest, configLimitBytes);
  const derived = withoutEntrypoint(source.manifest, original);
  await target.client.putBlob(target.repository, sha256Of(derived.config), derived.config);
  return { body: derived.manifest };
}
