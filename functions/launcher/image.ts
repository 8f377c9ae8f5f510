/** From the image that was asked for to one that a Batch host can pull and whose command is ours (E2, E3, E4). */

import type { Repositories } from '../../shared/aws/repositories.ts';
import { guessed } from '../../shared/images/guess.ts';
import { nameSources } from '../../shared/images/name-sources.ts';
import type { Experiment } from '../../shared/model/experiment.ts';
import type { RegistryAccess } from '../../shared/registry/access.ts';
import { CopyCancelledError, type CopyLimits, copyLayers } from '../../shared/registry/copy-layers.ts';
import { derivedTag, putWithoutEntrypoint } from '../../shared/registry/entrypoint.ts';
import type { Descriptor, RegistryClient, ResolvedManifest } from '../../shared/registry/model.ts';
import { type ImageLocation, parseReference, referenceOf } from '../../shared/registry/reference.ts';
import { type ResolvedName, resolveImageName } from '../../shared/registry/resolve.ts';
import type { RegistryStore } from '../../shared/store/registries.ts';
import type { Table } from '../../shared/store/table.ts';
import { type CacheDependencies, findInCache, staleness } from './cache.ts';

/** Hosts of the compute environments. */
const platform = 'linux/amd64';

export interface ImageDependencies extends CacheDependencies {
  table: Table;
  registries: RegistryStore;
  access: RegistryAccess;
  repositories: Repositories;
}

/** An image as its registry, or the cache of it, has it now. */
export interface FoundImage {
  /** For the record. */
  image: Experiment['image'] & { uri: string; digest: string };
  location: ImageLocation;
  /** Where it is read from: `location`, or its place in the cache. */
  source: ImageLocation;
  client: RegistryClient;
  manifest: ResolvedManifest;
  /** Why it doesn't come from the cache that there is of its registry. */
  cacheRefused?: string;
}

/** B12: what was built for it is its image, whatever the tag names by now. */
function builtName({ rule, uri, digest }: Experiment['image']): ResolvedName | undefined {
  if (rule !== 'build' || uri === undefined || digest === undefined) return undefined;
  const { host = '', repository, tag } = parseReference(uri);
  return { rule, uri, location: { host, repository, tag, digest }, warnings: [] };
}

/** Throws the errors of names and registries. */
export async function findImage(
  dependencies: ImageDependencies,
  organisation: string,
  asked: Experiment['image'],
): Promise<FoundImage> {
  const { table, registries, access } = dependencies;
  const { requested } = asked;
  const name =
    builtName(asked) ?? (await resolveImageName(requested, nameSources(table, registries, organisation)));
  const { location, rule, uri } = name;
  const cached = await findInCache(dependencies, organisation, location, platform);
  const warnings = [...name.warnings, ...(cached?.found ? staleness(location) : [])];
  const direct = async () => {
    const client = await access.clientFor(organisation, location.host, location.repository);
    const manifest = await client.resolveManifest(location.repository, referenceOf(location), platform);
    return { source: location, client, manifest };
  };
  const found = cached?.found ?? (await guessed(table, organisation, name, direct));
  return {
    image: {
      ...(requested === undefined ? {} : { requested }),
      rule,
      uri,
      digest: found.manifest.digest,
      ...(warnings.length > 0 ? { warnings } : {}),
    },
    location,
    ...found,
    ...(cached?.refused === undefined ? {} : { cacheRefused: cached.refused }),
  };
}

/** How a host gets at an image. */
export type Pull =
  | { how: 'direct'; credentialsArn?: string }
  /** Through a copy in the organisation's own space. */
  | { how: 'copy' };

/** Batch's `repositoryCredentials` don't work for ECR, so an image of somebody else's ECR is copied. */
export async function pullOf(
  { access, ecrRegistry }: ImageDependencies,
  organisation: string,
  { host, repository }: ImageLocation,
): Promise<Pull> {
  if (host === ecrRegistry) return { how: 'direct' };
  if (/\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/.test(host)) return { how: 'copy' };
  const registry = await access.registryOf(organisation, host, repository);
  return registry?.secretArn ? { how: 'direct', credentialsArn: registry.secretArn } : { how: 'direct' };
}

/** `host/repository@digest`. */
export const pinned = ({ host, repository }: ImageLocation, digest: string) =>
  `${host}/${repository}@${digest}`;

export interface CopyProgress {
  /** Told before anything is copied, which may take a while. */
  started(bytes: number, target: string): Promise<void>;
}

/**
 * The image in the organisation's own space: as it is, or without its ENTRYPOINT. What an earlier launch has put
 * there is found again. Throws the errors of registries and of copying.
 */
export async function ownCopy(
  { access, repositories, ecrRegistry }: ImageDependencies,
  organisation: string,
  { location, source, client, manifest: resolved }: FoundImage,
  clearEntrypoint: boolean,
  limits: CopyLimits,
  progress: CopyProgress,
): Promise<string> {
  const isOwn = location.host === ecrRegistry && location.repository.startsWith(`${organisation}/`);
  const repository = isOwn ? location.repository : copyRepository(organisation, location);
  const target = { host: ecrRegistry, repository };
  if (!isOwn) await repositories.ensure(repository, organisation);
  const tag = clearEntrypoint ? derivedTag(resolved.platformDigest) : copyTag(resolved.platformDigest);
  const own = isOwn ? client : await access.clientFor(organisation, ecrRegistry, repository);
  const there = await own.headManifest(repository, tag);
  if (there && (await hasLayers(own, repository, there.digest, resolved.layers)))
    return pinned(target, there.digest);
  const manifest = await client.getManifest(source.repository, resolved.platformDigest);
  const from = { client, repository: source.repository, manifest };
  if (!isOwn) {
    await progress.started(resolved.sizeBytes, `${ecrRegistry}/${repository}`);
    await copyLayers(from, { client: own, repository }, limits, !clearEntrypoint);
  }
  const derived = clearEntrypoint ? await putWithoutEntrypoint(from, { client: own, repository }) : manifest;
  // Its last layer may have come long after a stop was confirmed: from then on nothing is tagged.
  if (await limits.cancelled()) throw new CopyCancelledError();
  return pinned(target, await own.putManifest(repository, tag, manifest.mediaType, derived.body));
}

/** Builds and pushes may move any tag of the organisation: a copy is only one with the layers that were looked at. */
async function hasLayers(
  client: RegistryClient,
  repository: string,
  digest: string,
  wanted: readonly Descriptor[],
): Promise<boolean> {
  const { layers } = (await client.getManifest(repository, digest)).document;
  if (!Array.isArray(layers) || layers.length !== wanted.length) return false;
  return layers.every((layer, i) => layer?.digest === wanted[i]?.digest);
}

/** ECR takes no colon in a repository's name. */
const copyRepository = (organisation: string, { host, repository }: ImageLocation) =>
  `${organisation}/copies/${host.replaceAll(':', '-')}/${repository}`;

const copyTag = (platformDigest: string) => `slipway-copy-${platformDigest.slice('sha256:'.length, 39)}`;
