/** ECR as a cache of public registries (R10): which ones, and under which names their images lie there. */
import type { ImageLocation } from '../registry/reference.ts';
import type { Stage } from './stage.ts';

interface Upstream {
  /** In image names. */
  host: string;
  /** As ECR's rules name it. */
  registryUrl: string;
  /** Last part of the rule's prefix: short, since ECR takes 30 characters for all of it. */
  name: string;
}

export type CacheUpstream = keyof NonNullable<Stage['pullThroughCache']>;

export const cacheUpstreams: Record<CacheUpstream, Upstream> = {
  dockerHub: { host: 'docker.io', registryUrl: 'registry-1.docker.io', name: 'docker' },
  ghcr: { host: 'ghcr.io', registryUrl: 'ghcr.io', name: 'ghcr' },
  quay: { host: 'quay.io', registryUrl: 'quay.io', name: 'quay' },
  ecrPublic: { host: 'public.ecr.aws', registryUrl: 'public.ecr.aws', name: 'public' },
};

/** First part of the names of all cached repositories of a stage. */
export const cacheNamespace = (stage: string): string => `slipway-${stage}`;

/** The upstreams that the stage caches, with the prefix of each one's rule. */
export function cachedUpstreams({ stage, pullThroughCache = {} }: Pick<Stage, 'stage' | 'pullThroughCache'>) {
  return (Object.keys(cacheUpstreams) as CacheUpstream[])
    .filter((key) => pullThroughCache[key] !== undefined)
    .map((key) => ({
      ...cacheUpstreams[key],
      key,
      prefix: `${cacheNamespace(stage)}/${cacheUpstreams[key].name}`,
    }));
}

/** Where the stage's cache has an image of a public registry; undefined where it caches none of that host. */
export function cachedLocation(
  stage: Pick<Stage, 'stage' | 'pullThroughCache'>,
  ecrRegistry: string,
  location: ImageLocation,
): ImageLocation | undefined {
  const upstream = cachedUpstreams(stage).find(({ host }) => host === location.host);
  return (
    upstream && { ...location, host: ecrRegistry, repository: `${upstream.prefix}/${location.repository}` }
  );
}
