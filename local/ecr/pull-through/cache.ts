/**
 * ECR as a cache of other registries: a tag that is asked for below a rule's prefix is fetched from upstream, and again
 * when it was last compared a day ago. What is asked for by digest must be there already.
 */
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { Cloud, DeclaredResource, Principal } from '../../platform.ts';
import type { BlobFiles } from '../blob-files.ts';
import { readEncryption } from '../encryption.ts';
import { putImage } from '../images.ts';
import { ManifestInvalidError, parseManifest } from '../manifest.ts';
import { RegistryError } from '../registry/exchange.ts';
import { checkRepositoryName, repositoryArn } from '../repositories.ts';
import type { EcrStore } from '../store.ts';
import { type CacheRule, readRules, ruleFor } from './rules.ts';
import { type CreationTemplate, expireUntagged, readTemplates } from './templates.ts';
import { createUpstream, type Upstream, UpstreamError } from './upstream.ts';

export interface CacheParts {
  cloud: Cloud;
  store: EcrStore;
  files: BlobFiles;
  /** Where upstream registries really are, by host; the others are at `https://<host>`. */
  upstreams: ReadonlyMap<string, string>;
}

export interface PullThroughCache {
  /** Takes the declared rules and creation templates. Throws AWS's errors. */
  deploy(rules: DeclaredResource[], templates: DeclaredResource[]): void;
  /**
   * Makes sure that a tag below a rule's prefix is here and not older than a day. Throws `AccessDeniedException`, and a
   * `RegistryError` for what upstream doesn't give and isn't here.
   */
  refresh(principal: Principal, repository: string, reference: string): Promise<void>;
  /** Whether the repository comes by a rule. */
  has(repository: string): boolean;
  /** Removes what the creation templates let go. */
  expire(): void;
}

const freshMs = 24 * 3_600_000;

const secretSchema = z.object({ username: z.string(), accessToken: z.string() });

export function createPullThroughCache(parts: CacheParts): PullThroughCache {
  const { cloud, store, upstreams } = parts;
  cloud.db.exec(
    'CREATE TABLE IF NOT EXISTS ecr_cached_tags (repository TEXT NOT NULL REFERENCES ecr_repositories ON DELETE CASCADE, tag TEXT NOT NULL, checked_at INTEGER NOT NULL, PRIMARY KEY (repository, tag)) STRICT',
  );
  let rules: CacheRule[] = [];
  let templates: CreationTemplate[] = [];
  const importing = new Map<string, Promise<void>>();

  const checkedAt = (repository: string, tag: string): number =>
    Number(
      cloud.db
        .prepare('SELECT checked_at FROM ecr_cached_tags WHERE repository = ? AND tag = ?')
        .get(repository, tag)?.checked_at ?? 0,
    );

  async function fetchTag(rule: CacheRule, repository: string, tag: string): Promise<void> {
    const from = createUpstream(
      upstreams.get(rule.upstream) ?? `https://${rule.upstream}`,
      credentialsOf(cloud, rule),
    );
    const name = repository.slice(rule.prefix.length + 1);
    const template = templates.find(({ prefix }) => repository.startsWith(`${prefix}/`));
    const { digest } = await importImage(parts, { from, name, repository, template }, tag, tag);
    const now = cloud.now().getTime();
    cloud.db.prepare('INSERT OR REPLACE INTO ecr_cached_tags VALUES (?, ?, ?)').run(repository, tag, now);
    cloud.log('ecr', `${repository}:${tag} is ${digest} at ${rule.upstream}`);
  }

  return {
    deploy(declaredRules, declaredTemplates) {
      rules = readRules(declaredRules);
      templates = readTemplates(declaredTemplates);
    },
    has: (repository) => ruleFor(rules, repository) !== undefined,
    expire: () => expireUntagged(store, templates, cloud.now().getTime()),
    async refresh(principal, repository, reference) {
      const rule = ruleFor(rules, repository);
      if (!rule || reference.includes(':')) return;
      const isHere = store.digestOfTag(repository, reference) !== undefined;
      if (isHere && cloud.now().getTime() - checkedAt(repository, reference) < freshMs) return;
      const arn = repositoryArn(cloud, checkRepositoryName(repository));
      cloud.authorize(principal, 'ecr:BatchImportUpstreamImage', arn);
      if (!store.repository(repository)) cloud.authorize(principal, 'ecr:CreateRepository', arn);
      const key = `${repository}:${reference}`;
      // Whoever asks meanwhile waits for the same import.
      const work =
        importing.get(key) ?? fetchTag(rule, repository, reference).finally(() => importing.delete(key));
      importing.set(key, work);
      try {
        await work;
      } catch (error) {
        if (!(error instanceof UpstreamError)) throw error;
        cloud.log('ecr', `${key}: ${error.message}`);
        // An upstream that doesn't answer leaves what was fetched before.
        if (!isHere) throw refusal(error, repository);
      }
    },
  };
}

/** ECR reads the secret itself, for the account that the rule belongs to. */
function credentialsOf(cloud: Cloud, { credentialArn }: CacheRule) {
  if (credentialArn === undefined) return undefined;
  const arn = `arn:aws:iam::${cloud.accountId}:root`;
  const text = cloud.readSecret({ arn, kind: 'root', sessionName: 'ecr' }, credentialArn);
  try {
    return secretSchema.parse(JSON.parse(text));
  } catch {
    // What stands in it instead is nobody's to read in a log.
    throw new UpstreamError(`The secret ${credentialArn} doesn't contain a username and an accessToken`, 401);
  }
}

interface Source {
  from: Upstream;
  /** Repository at the upstream. */
  name: string;
  /** Repository here. */
  repository: string;
  /** What it is made by, where it isn't there yet. */
  template: CreationTemplate | undefined;
}

/** An image with all that it refers to; of an index, every platform's. */
async function importImage(
  parts: CacheParts,
  source: Source,
  reference: string,
  tag?: string,
): Promise<{ digest: string }> {
  const { cloud, store } = parts;
  const { from, name, repository } = source;
  const { mediaType, bytes } = await from.manifest(name, reference);
  const manifest = parse(bytes, mediaType);
  if (!store.repository(repository))
    store.createRepository({
      name: repository,
      createdAt: cloud.now().getTime(),
      mutability: source.template?.mutability ?? { setting: 'MUTABLE', exclusions: [] },
      tags: [],
      encryption: readEncryption(undefined, undefined),
    });
  for (const digest of manifest.blobs)
    if (store.blobSize(repository, digest) === undefined) await importBlob(parts, source, digest);
  for (const digest of manifest.manifests)
    if (!store.image(repository, digest)) await importImage(parts, source, digest);
  return putImage(cloud, store, repository, bytes, mediaType, tag);
}

function parse(bytes: Buffer, mediaType: string) {
  try {
    return parseManifest(bytes, mediaType);
  } catch (error) {
    if (!(error instanceof ManifestInvalidError)) throw error;
    throw new UpstreamError(error.message);
  }
}

async function importBlob(
  { cloud, store, files }: CacheParts,
  source: Source,
  digest: string,
): Promise<void> {
  const uploadId = randomUUID();
  await files.begin(uploadId);
  try {
    await files.append(uploadId, await source.from.blob(source.name, digest));
    const sizeBytes = await files.commit(uploadId, digest);
    store.linkBlob(source.repository, digest, sizeBytes, cloud.now().getTime());
  } catch (error) {
    await files.abandon(uploadId);
    throw error instanceof UpstreamError
      ? error
      : new UpstreamError(`${digest}: ${(error as Error).message}`);
  }
}

function refusal({ status, message }: UpstreamError, repository: string): RegistryError {
  if (status === 401 || status === 403)
    return new RegistryError(
      403,
      'DENIED',
      `The authentication to the upstream registry failed. Verify that the credentials in Secrets Manager are valid, and that ${repository} exists upstream.`,
    );
  if (status === 404) return new RegistryError(404, 'MANIFEST_UNKNOWN', 'Requested image not found');
  return new RegistryError(
    503,
    'UNAVAILABLE',
    `ECR could not get the image from the upstream registry: ${message}`,
  );
}
