/** From a build's record and request to what the builder gets. */
import { createHash } from 'node:crypto';
import { resultKey } from '../model/build-keys.ts';
import type { BuildSpec } from '../model/build-spec.ts';
import { cacheTag } from '../model/layer-cache.ts';
import { formatReference, parseReference } from '../registry/reference.ts';
import { type KnownRegistry, registryFor } from '../store/registries.ts';
import type { BuildRecord } from './record.ts';
import type { BuildRequest } from './request.ts';

export interface SpecSources {
  organisation: string;
  /** Host of the deployment's own ECR. */
  ecrRegistry: string;
  registries: KnownRegistry[];
  /** The stage's. */
  privateRegistries: string[];
  certificateAuthorities?: string | undefined;
}

/** What every kind of job gets. */
export const jobOf = (
  { id }: BuildRecord,
  { organisation, privateRegistries, certificateAuthorities }: SpecSources,
) => ({
  version: 1 as const,
  organisation,
  buildId: id,
  privateRegistries,
  ...(certificateAuthorities === undefined ? {} : { certificateAuthorities }),
  resultKey: resultKey(organisation, id),
});

export function specOf(record: BuildRecord, request: BuildRequest, sources: SpecSources): BuildSpec {
  const cache = cacheOf(record, sources);
  // Whose account may push means nothing where nothing is pushed.
  const target = request.push === false ? [] : [locate(record.uri)];
  const images = [...target, locate(cache), ...request.references.flatMap(located)];
  const overruled = overruledOf(images, sources);
  return {
    ...jobOf(record, sources),
    kind: 'build',
    dockerfile: request.dockerfile,
    ...(request.context ? { context: request.context } : {}),
    buildArgs: request.buildArgs,
    bases: request.bases,
    secrets: request.secretSources,
    registries: credentialsOf(images, sources),
    ...(overruled.length > 0 ? { overruled } : {}),
    target: record.uri,
    ...(request.push === false ? { push: false } : {}),
    cache,
  };
}

interface Located {
  host: string;
  repository: string;
}

function locate(uri: string): Located {
  const { host, repository } = parseReference(uri);
  if (host === undefined) throw new Error(`${uri} names no registry`);
  return { host, repository };
}

/** What the engine will take a base's name for: without a host it is Docker Hub's. What is no name is the engine's to refuse. */
function located(base: string): Located[] {
  try {
    const { host = 'docker.io', repository } = parseReference(base);
    return [{ host, repository }];
  } catch {
    // `FROM ${NOTHING}` and the like: the build will fail, and say why better than we could.
    return [];
  }
}

const longestRepository = 255;

/** A name that is too long for a registry keeps its beginning, and is told from others by a hash. */
function shortened(repository: string): string {
  if (repository.length <= longestRepository) return repository;
  const hash = createHash('sha256').update(repository).digest('hex').slice(0, 16);
  const kept = repository.slice(0, longestRepository - hash.length - 1).replace(/[^a-z0-9]+$/, '');
  return `${kept}-${hash}`;
}

/** One layer cache for each repository, in the organisation's own space whatever registry the image goes to. */
export function cacheOf(
  record: Pick<BuildRecord, 'uri' | 'registryId'>,
  { organisation, ecrRegistry }: Pick<SpecSources, 'organisation' | 'ecrRegistry'>,
) {
  const { host, repository } = locate(record.uri);
  const own = host === ecrRegistry;
  return formatReference({
    host: ecrRegistry,
    repository: own ? repository : shortened(`${organisation}/cache/${record.registryId}/${repository}`),
    tag: cacheTag,
  });
}

/** Repositories of the deployment's own ECR that the build will push to. */
export function ownRepositories(
  spec: Pick<BuildSpec, 'target' | 'cache' | 'push'>,
  ecrRegistry: string,
): string[] {
  if (spec.push === false) return [];
  const all = [locate(spec.target), locate(spec.cache)];
  return [...new Set(all.filter(({ host }) => host === ecrRegistry).map(({ repository }) => repository))];
}

/** One source of credentials for each host: an engine knows no more. Where images of a host differ, the first one's counts. */
export function credentialsOf(
  images: Located[],
  { registries, ecrRegistry }: SpecSources,
): BuildSpec['registries'] {
  const found = new Map<string, BuildSpec['registries'][number]>();
  for (const { host, repository } of images) {
    if (found.has(host)) continue;
    const known = registryFor(registries, host, repository);
    const [, accountId, region] = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/.exec(host) ?? [];
    if (known?.secretArn) found.set(host, { kind: 'secret', host, secretArn: known.secretArn });
    // The builder's role has rights in no other ECR.
    else if (host === ecrRegistry)
      found.set(host, { kind: 'ecr', host, ...(accountId && region ? { accountId, region } : {}) });
  }
  return [...found.values()];
}

/** B6: where an engine can't use the account of an image's own registry, who could say so is told which was used. */
function overruledOf(
  images: Located[],
  sources: Pick<SpecSources, 'registries' | 'ecrRegistry'>,
): NonNullable<BuildSpec['overruled']> {
  const used = new Map<string, KnownRegistry>();
  return images.flatMap(({ host, repository }) => {
    const own = registryFor(sources.registries, host, repository);
    if (!own?.secretArn || host === sources.ecrRegistry) return [];
    const first = used.get(host) ?? own;
    used.set(host, first);
    return first.secretArn === own.secretArn
      ? []
      : [{ host, repository, own: titleOf(own), used: titleOf(first) }];
  });
}

const titleOf = ({ registry: { id, title } }: KnownRegistry) => `"${title}" (${id})`;
