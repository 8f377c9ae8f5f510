/** From a build's record and request to what the builder gets. */
import { createHash } from 'node:crypto';
import { resultKey } from '../model/build-keys.ts';
import type { BuildSpec, CredentialsSource } from '../model/build-spec.ts';
import { cacheTag } from '../model/layer-cache.ts';
import { formatReference, parseLocation, parseReference } from '../registry/reference.ts';
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
  const bases = request.references.flatMap(located);
  const registries = credentialsOf([...target, locate(cache), ...bases], sources);
  const otherAccounts = otherAccountsOf(bases, registries, sources);
  return {
    ...jobOf(record, sources),
    kind: 'build',
    dockerfile: request.dockerfile,
    ...(request.context ? { context: request.context } : {}),
    buildArgs: request.buildArgs,
    bases: request.bases,
    secrets: request.secretSources,
    registries,
    ...(otherAccounts.length > 0 ? { otherAccounts } : {}),
    target: record.uri,
    ...(request.push === false ? { push: false } : {}),
    cache,
  };
}

type AccountSources = Pick<SpecSources, 'registries' | 'ecrRegistry'>;

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
    const { host, repository } = parseLocation(base);
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
export function credentialsOf(images: Located[], sources: AccountSources): BuildSpec['registries'] {
  const found = new Map<string, CredentialsSource>();
  for (const image of images) {
    const account = found.get(image.host) ?? accountOf(image, sources);
    if (account) found.set(image.host, account);
  }
  return [...found.values()];
}

/** B6: bases that another account counts for than the one that the engine is given for their host. */
function otherAccountsOf(
  bases: Located[],
  given: CredentialsSource[],
  sources: AccountSources,
): NonNullable<BuildSpec['otherAccounts']> {
  const names = given.map(nameOf);
  const found = bases.flatMap(({ host, repository }) => {
    const credentials = accountOf({ host, repository }, sources);
    if (!credentials || names.includes(nameOf(credentials))) return [];
    return [[`${host}/${repository}`, { repository, credentials }] as const];
  });
  // Each once, however many tags of it the Dockerfile names.
  return [...new Map(found).values()];
}

const nameOf = (account: CredentialsSource) => (account.kind === 'secret' ? account.secretArn : account.host);

/** Whose account counts for an image: in the own ECR the role's, else the longest matching registry's, or nobody's. */
function accountOf(
  { host, repository }: Located,
  { registries, ecrRegistry }: AccountSources,
): CredentialsSource | undefined {
  if (host !== ecrRegistry) {
    // The builder's role has rights in no other ECR.
    const known = registryFor(registries, host, repository);
    if (known?.secretArn === undefined) return undefined;
    return { kind: 'secret', host, secretArn: known.secretArn, registryId: known.registry.id };
  }
  // In the own ECR the role decides, whatever somebody has stored.
  const [, accountId, region] = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/.exec(host) ?? [];
  return { kind: 'ecr', host, ...(accountId && region ? { accountId, region } : {}) };
}
