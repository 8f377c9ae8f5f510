/** R10: images of public registries by way of ECR's pull-through cache. */
import { cachedLocation } from '../../shared/model/pull-through.ts';
import type { Stage } from '../../shared/model/stage.ts';
import type { RegistryAccess } from '../../shared/registry/access.ts';
import { type RegistryClient, RegistryError, type ResolvedManifest } from '../../shared/registry/model.ts';
import { type ImageLocation, referenceOf } from '../../shared/registry/reference.ts';

export interface CacheDependencies {
  stage: Pick<Stage, 'stage' | 'pullThroughCache'>;
  access: Pick<RegistryAccess, 'registryOf'>;
  /** Host of the deployment's own ECR. */
  ecrRegistry: string;
  /** A client of it with the function's own rights, whatever the repository. */
  ownEcr(): Promise<RegistryClient>;
}

/** An image in the cache, or why the cache doesn't give it. */
type Cached =
  | { found: { source: ImageLocation; client: RegistryClient; manifest: ResolvedManifest }; refused?: never }
  | { found?: never; refused: string };

/**
 * Undefined where there is no cache of that registry, and for what the organisation has credentials for: only what is
 * public goes into a cache that all organisations share. Asking for a tag makes ECR fetch it.
 */
export async function findInCache(
  { stage, access, ecrRegistry, ownEcr }: CacheDependencies,
  organisation: string,
  location: ImageLocation,
  platform: string,
): Promise<Cached | undefined> {
  const source = cachedLocation(stage, ecrRegistry, location);
  if (!source) return undefined;
  const registry = await access.registryOf(organisation, location.host, location.repository);
  if (registry?.secretArn) return undefined;
  const client = await ownEcr();
  const { repository, tag, digest } = source;
  try {
    // ECR fetches nothing by digest: with a tag beside it, the tag brings the image.
    if (tag !== undefined && digest !== undefined) await client.headManifest(repository, tag);
    const manifest = await client.resolveManifest(repository, referenceOf(source), platform);
    return { found: { source, client, manifest } };
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return { refused: error.message };
  }
}

export const staleness = ({ host, digest }: ImageLocation): string[] =>
  digest === undefined
    ? [`The cache compares this tag with ${host} once in 24 hours. A digest is exact.`]
    : [];
