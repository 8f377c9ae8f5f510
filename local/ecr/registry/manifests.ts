/** Manifests, tags and referrers in the distribution protocol. */
import { createHash } from 'node:crypto';
import { putImage, tagPattern } from '../images.ts';
import type { StoredImage } from '../store.ts';
import {
  answer,
  type Exchange,
  isUnchanged,
  RegistryError,
  type RegistryParts,
  readBody,
  requireDigestForm,
} from './exchange.ts';

/** ECR's own limit on a manifest. */
const manifestLimitBytes = 4 * 1024 * 1024;

export function getManifest({ store }: RegistryParts, exchange: Exchange): void {
  const { repository, reference } = exchange;
  const isByDigest = reference.includes(':');
  if (isByDigest) requireDigestForm(reference);
  const digest = isByDigest ? reference : store.digestOfTag(repository, reference);
  const image = digest && store.image(repository, digest);
  if (!image) throw new RegistryError(404, 'MANIFEST_UNKNOWN', 'Requested image not found');
  const headers = { 'content-type': image.mediaType, 'docker-content-digest': image.digest };
  const etag = `"${image.digest}"`;
  if (isUnchanged(exchange, etag, headers)) return;
  answer(exchange, 200, { ...headers, etag, 'content-length': image.bytes.length }, image.bytes);
}

export async function putManifest({ cloud, store }: RegistryParts, exchange: Exchange): Promise<void> {
  const { repository, reference, request } = exchange;
  const isDigest = reference.includes(':');
  if (!isDigest && !tagPattern.test(reference))
    throw new RegistryError(400, 'TAG_INVALID', `'${reference}' is not a valid tag`);
  const bytes = await readBody(request, manifestLimitBytes);
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  if (isDigest && digest !== reference)
    throw new RegistryError(400, 'DIGEST_INVALID', `The manifest has the digest ${digest}, not ${reference}`);
  const tag = isDigest ? undefined : reference;
  const stored = putImage(cloud, store, repository, bytes, request.headers['content-type'], tag);
  answer(exchange, 201, {
    location: `/v2/${repository}/manifests/${stored.digest}`,
    'docker-content-digest': stored.digest,
    ...(stored.subject && { 'oci-subject': stored.subject }),
  });
}

export function listTags({ store }: RegistryParts, exchange: Exchange): void {
  const { repository, query } = exchange;
  const last = query.get('last');
  const asked = query.get('n') ?? '1000';
  const count = Number(asked);
  if (!/^\d+$/.test(asked))
    throw new RegistryError(400, 'PAGINATION_NUMBER_INVALID', 'n must be a whole number');
  const all = store.tags(repository).filter((tag) => last === null || tag > last);
  const tags = all.slice(0, Math.min(count, 1000));
  const more = tags.length > 0 && tags.length < all.length;
  answer(
    exchange,
    200,
    {
      'content-type': 'application/json',
      ...(more && { link: `</v2/${repository}/tags/list?n=${count}&last=${tags.at(-1)}>; rel="next"` }),
      'content-length': Buffer.byteLength(JSON.stringify({ name: repository, tags })),
    },
    JSON.stringify({ name: repository, tags }),
  );
}

export function listReferrers({ store }: RegistryParts, exchange: Exchange): void {
  const { repository, reference, query } = exchange;
  requireDigestForm(reference);
  const wanted = query.get('artifactType');
  const manifests = store
    .referrers(repository, 'subject', reference)
    .map((digest) => store.image(repository, digest))
    .filter((image) => image !== undefined)
    .filter((image) => wanted === null || image.artifactType === wanted)
    .map(describe);
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests,
  });
  answer(
    exchange,
    200,
    {
      'content-type': 'application/vnd.oci.image.index.v1+json',
      'content-length': Buffer.byteLength(body),
      ...(wanted !== null && { 'oci-filters-applied': 'artifactType' }),
    },
    body,
  );
}

function describe(image: StoredImage) {
  const { annotations } = JSON.parse(image.bytes.toString('utf8')) as {
    annotations?: Record<string, string>;
  };
  return {
    mediaType: image.mediaType,
    digest: image.digest,
    size: image.bytes.length,
    ...(image.artifactType && { artifactType: image.artifactType }),
    ...(annotations && { annotations }),
  };
}
